"""What a tenant's page in the admin tells of its jobs."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.admin.utils import quote
from django.db.models import Count, FloatField, Q, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Now
from django.urls import reverse

from accounts.admin import panels
from accounts.admin.panels import Panel
from accounts.models import Tenant
from media_jobs.models import Job, Status

_SHOWN = 10
_MONTH = timedelta(days=30)


def recent_jobs(tenant: Tenant) -> Panel:
    rows = Job.objects.for_tenant(tenant)[:_SHOWN]
    return Panel(
        "Recent jobs",
        ("Job", "Operation", "Status", "Created"),
        [
            (
                (job.pk, reverse("admin:media_jobs_job_change", args=[quote(job.pk)])),
                job.operation,
                job.status,
                f"{job.created_at:%Y-%m-%d %H:%M}",
            )
            for job in rows
        ],
        f"{reverse('admin:media_jobs_job_changelist')}?tenant__id__exact={tenant.pk}",
    )


def work(tenant: Tenant) -> Panel:
    """What its jobs of the last month came to."""
    lately = Job.objects.for_tenant(tenant).filter(finished_at__gt=Now() - _MONTH)
    counts = {status: Count("pk", filter=Q(status=status)) for status in Status.values}
    told = lately.aggregate(
        **counts, cpu=Sum(Cast(KT("usage__cpu_seconds"), FloatField()), default=0.0)
    )
    waiting = Job.objects.for_tenant(tenant).filter(finished_at=None).count()
    return Panel(
        "Work of the last 30 days",
        ("Completed", "Failed", "Canceled", "CPU seconds", "Waiting or running now"),
        [
            (
                *(str(told[status]) for status in ("completed", "failed", "canceled")),
                f"{told['cpu']:.0f}",
                str(waiting),
            )
        ],
    )


panels.of_tenant += [recent_jobs, work]
