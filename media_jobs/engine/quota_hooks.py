"""What the quotas ask of jobs, and learn of them: which are going on, and what ended ones cost."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet

from accounts.models import QuotaAlert
from accounts.quotas import alerts, reservations
from accounts.usage.ledger import Usage
from media_jobs import events
from media_jobs.events import Event
from media_jobs.models import Job, Status


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
    """Tell of an alert, whose row is written, as of every event."""
    events.tell(Event(alerts.event_of(alert), alert.tenant_id, data=alerts.tell(alert)))


# Texts and JSON as they are stored, compressed where PostgreSQL did so.
_WEIGH = """
UPDATE media_jobs_job AS job SET row_bytes = kept.bytes
FROM (SELECT id, row_bytes AS counted, pg_column_size(whole.*)
        + coalesce((SELECT sum(pg_column_size(a.*)) FROM media_jobs_jobattempt a
                    WHERE a.job_id = whole.id), 0)
        + coalesce((SELECT sum(pg_column_size(s.*)) FROM media_jobs_jobstep s
                    WHERE s.job_id = whole.id), 0) AS bytes
      FROM media_jobs_job whole WHERE id = %s) AS kept
WHERE job.id = kept.id RETURNING kept.bytes - kept.counted
"""


def settle(event: Event) -> None:
    """Settle what a job had reserved, now that it has ended."""
    job = event.job
    if job is None:
        return
    # What all its rows take is noted, and how much more that is than was counted.
    with connection.cursor() as cursor:
        cursor.execute(_WEIGH, [job.pk])
        grown_bytes = int(cursor.fetchone()[0])
    ended = reservations.Ended(
        tenant_id=job.tenant_id,
        api_key_id=job.api_key_id,
        work_id=job.pk,
        operation=job.operation,
        outcome=job.status,
        did_run=job.attempt > 0,
        submitted_at=job.created_at,
        reserved_cpu_ms=job.reserved_cpu_ms,
        usage=Usage.read(event.data["usage"]),
        grown_bytes=grown_bytes,
    )
    reservations.settle_job(ended)
