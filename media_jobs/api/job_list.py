"""Which of a tenant's jobs a list shows."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q
from rest_framework.request import Request

from accounts.models import Tenant
from ffapi_site.lib import query
from ffapi_site.lib.ids import is_public_id
from media_jobs.models import Job, JobInput, JobQuerySet, Status
from media_jobs.operations.core import REGISTRY

FILTERS = (
    "status",
    "operation",
    "created_after",
    "created_before",
    "tag",
    "api_key",
    "search",
)


def filtered(request: Request, tenant: Tenant) -> JobQuerySet:
    """Apply the query's filters to the tenant's jobs.

    Raises ``Invalid`` for a value that no job could have.
    """
    wanted: dict[str, Any] = {
        "status": query.choice(request, "status", Status.values),
        "operation": query.choice(request, "operation", sorted(REGISTRY)),
        "created_at__gt": query.moment(request, "created_after"),
        "created_at__lt": query.moment(request, "created_before"),
    }
    if (key := query.text(request, "api_key")) is not None:
        if not is_public_id(key):
            raise query.wrong("api_key", "must be the id of a key (key_…)")
        wanted["api_key_id"] = key
    jobs = Job.objects.for_tenant(tenant).filter(
        **{name: value for name, value in wanted.items() if value}
    )
    if (tag := query.text(request, "tag")) is not None:
        jobs = jobs.filter(tags__contains=[tag])
    if searched := query.text(request, "search"):
        # By a whole id all that have it; else those that hold the text somewhere.
        inputs = JobInput.objects.filter(job=OuterRef("pk"))
        if is_public_id(searched):
            return jobs.filter(Q(id=searched) | Q(Exists(inputs.filter(file_id=searched))))
        named = Q(url__icontains=searched) | Q(file__name__icontains=searched)
        found = Q(id__icontains=searched) | Q(Exists(inputs.filter(named)))
        jobs = jobs.searchable().filter(found)
    return jobs
