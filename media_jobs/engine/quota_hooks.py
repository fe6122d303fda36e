"""What the quotas ask of jobs: which are going on, and where to tell of alerts."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q, QuerySet

from accounts.models import QuotaAlert
from accounts.quotas import alerts
from media_jobs.models import Job, Status, WebhookDelivery


def open_work() -> QuerySet[Any]:
    """The jobs that have not ended, by the names that the quotas know."""
    return Job.objects.filter(status__in=(Status.QUEUED, Status.RUNNING)).annotate(
        submitted_at=F("created_at"),
        cpu_ms=F("reserved_cpu_ms"),
        is_running=Q(status=Status.RUNNING),
    )


def kept_rows() -> QuerySet[Any]:
    """What the jobs take in the database, those that have not ended by what was asked for."""
    return Job.objects.annotate(size_bytes=F("row_bytes"))


def announce(alert: QuotaAlert) -> None:
    """Have an alert sent as a webhook, signed as every event, where the tenant wants it."""
    tenant = alert.tenant
    if not tenant.alert_webhook_url:
        return
    WebhookDelivery.objects.create(
        tenant=tenant,
        url=tenant.alert_webhook_url,
        event=alerts.event_of(alert),
        data=alerts.tell(alert),
    )
