"""Which of a tenant's files a list shows."""

from __future__ import annotations

from django.db.models import Q
from rest_framework.request import Request

from accounts.models import Tenant
from ffapi_site.lib import query
from ffapi_site.lib.ids import is_public_id
from storage.content_types import DEFAULT, content_type_of
from storage.models import File, FileQuerySet

FILTERS = ("tag", "format", "created_after", "created_before", "search")


def filtered(request: Request, tenant: Tenant) -> FileQuerySet:
    """Apply the query's filters to the tenant's files.

    Raises ``Invalid`` for a value that can't be read.
    """
    wanted = {
        "created_at__gt": query.moment(request, "created_after"),
        "created_at__lt": query.moment(request, "created_before"),
    }
    files = File.objects.for_tenant(tenant).published()
    files = files.filter(**{name: at for name, at in wanted.items() if at})
    if (tag := query.text(request, "tag")) is not None:
        files = files.filter(tags__contains=[tag])
    if (asked := query.text(request, "format")) is not None:
        # A content type (``video/mp4``), a family (``video``) or an extension (``mp4``).
        asked = asked.lower()
        by_type = Q(content_type=asked)
        if "/" not in asked:
            of_extension = content_type_of(f"x.{asked}")
            by_type = Q() if of_extension == DEFAULT else Q(content_type=of_extension)
            by_type |= Q(name__iendswith=f".{asked}") | Q(content_type__startswith=f"{asked}/")
        files = files.filter(by_type)
    if searched := query.text(request, "search"):
        by_name = files.searchable().filter(name__icontains=searched)
        files = files.filter(pk=searched) if is_public_id(searched) else by_name
    return files
