"""The lease of a running attempt: renewed by its heartbeat, and the condition of all it writes."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.db import connection

from media_jobs.events.change_feed import CHANNEL
from media_jobs.models import Job, Status


class Lost(Exception):  # noqa: N818 -- what happened to the lease
    """The job belongs to another attempt, or has ended: nothing may be written any more"""


# Progress is no event: those who wait for it are woken by the one statement that a beat is.
_RENEW = """
WITH beat AS (
    UPDATE media_jobs_job
    SET lease_until = now() + make_interval(secs => %s), progress = %s
    WHERE id = %s AND attempt = %s AND status = 'running'
    RETURNING id, cancel_requested_at
)
SELECT cancel_requested_at IS NOT NULL, pg_notify(%s, id) FROM beat
"""


def renew(job: Job, progress: dict[str, Any]) -> bool:
    """Renew the lease of ``job.attempt`` and show ``progress``; tell whether to cancel.

    Raises `Lost` where the job is no longer this attempt's.
    """
    lease_s = float(settings.LEASE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, (lease_s, json.dumps(progress), job.pk, job.attempt, CHANNEL))
        row = cursor.fetchone()
    if row is None:
        raise Lost(job.id)
    return bool(row[0])


def hold(job: Job) -> bool:
    """Lock the row while it is ``job.attempt``'s; tell whether somebody asked for the job's end.

    Every write of an attempt but `renew`, which is its own condition, comes after it in one
    transaction. Raises `Lost`.
    """
    owned = Job.objects.filter(pk=job.pk, attempt=job.attempt, status=Status.RUNNING)
    asked = owned.select_for_update().values_list("cancel_requested_at").first()
    if asked is None:
        raise Lost(job.id)
    job.status = Status.RUNNING
    return asked[0] is not None
