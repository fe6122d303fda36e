"""Ended jobs go: when somebody deletes them, and when they have been kept for long enough."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.quotas import reservations
from ffapi_site.lib.chores import Items
from ffapi_site.lib.ids import lowest_id
from media_jobs.models import Job
from media_jobs.models.job import FINAL

_BATCH = 500
_CLOCKS_DIFFER_BY = timedelta(hours=3)
_EXPIRED = Items("expired jobs")


def forget(job: Job, event: AuditEvent, told: dict[str, Any]) -> bool:
    """Delete an ended job with its attempts, steps, events and deliveries; its files stay.

    Tell whether it was there: of two who delete it at once one does, and gives its room back.
    Part of the caller's transaction.
    """
    ended = hold(job)
    if ended is None:
        return False
    audit.record(event, ended.tenant_id, ended.pk, details=told)
    ended.delete()
    reservations.give_storage(ended.tenant_id, ended.api_key_id, ended.row_bytes)
    return True


def hold(job: Job) -> Job | None:
    """Lock an ended job, before its files and what else hangs on it; None where it is gone."""
    return Job.objects.select_for_update().filter(pk=job.pk, status__in=FINAL).first()


def sweep() -> int:
    """Delete jobs that ended more than ``JOB_RETENTION_DAYS`` ago; give their number.

    Each in a transaction of its own. The dead letters stay until staff have looked at them, and
    files until they expire themselves.
    """
    kept_for = timedelta(days=settings.JOB_RETENTION_DAYS)
    # By the ids, which need no index of their own: what was made since can't have ended before.
    made_before = lowest_id("job", timezone.now() - kept_for + _CLOCKS_DIFFER_BY)
    old = Job.objects.filter(
        pk__lt=made_before,
        status__in=FINAL,
        quarantined_at=None,
        finished_at__lt=Now() - kept_for,
    )
    # What a job was asked for and has told may be long: none of it is read for all at once.
    some = old.order_by("pk").only("operation", "status")[:_BATCH]
    return _EXPIRED.each(some, _expire, key=lambda job: job.pk)


def _expire(job: Job) -> bool:
    told = {"operation": job.operation, "status": job.status}
    with transaction.atomic():
        return forget(job, AuditEvent.JOB_EXPIRED, told)
