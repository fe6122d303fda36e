"""What is done every few seconds so that a crash or a lost message costs seconds, not jobs."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count
from django.db.models.functions import Now

from accounts import idempotency, rate_limit
from accounts.people import sessions
from accounts.quotas import alerts, reservations
from media_jobs import queue, states
from media_jobs.ffmpeg import failures
from media_jobs.models import Job, PausedLane, Slot, Status
from media_jobs.worker import placement
from storage import retention

logger = logging.getLogger(__name__)

# One number for one chore in the whole installation: whoever holds it does the work.
_LOCK = 0x46464150


def reap() -> int:
    """Queue again, or fail, every running job whose slot has fallen silent; give their number.

    Each in a transaction of its own: it ends with the tenant's counters, and whoever held those
    of several tenants would wait in a circle with the slots that end jobs of theirs.
    """
    reaped = 0
    for job in Job.objects.stalled():
        with transaction.atomic(durable=True):
            locked = Job.objects.stalled().select_for_update(skip_locked=True).filter(pk=job.pk)
            found = locked.first()
            if found is None:
                continue
            _reap_one(found)
            reaped += 1
    return reaped


def _reap_one(job: Job) -> None:
    extra = {"job": job.id, "attempt": job.attempt, "slot": job.slot}
    logger.warning("A slot fell silent", extra=extra)
    deaths = 1 + job.attempts.filter(outcome=states.WORKER_LOST).count()
    if job.cancel_requested_at is not None:
        states.end(job, Status.CANCELED, "canceled; its slot fell silent")
    elif deaths >= settings.POISON_AFTER_DEATHS:
        _quarantine(job, deaths)
    elif job.attempt < job.max_attempts:
        states.give_back(job, f"{job.slot} fell silent", outcome=states.WORKER_LOST)
    else:
        states.end(job, Status.FAILED, "worker_lost", error=failures.WORKER_LOST.to_json())


def _quarantine(job: Job, deaths: int) -> None:
    """Keep a job that kills its workers from doing so again, until staff have looked at it."""
    logger.error("A job is quarantined", extra={"job": job.id, "deaths": deaths})
    reason, error = f"poison: {deaths} workers died of it", failures.POISON.to_json()
    states.end(job, Status.FAILED, reason, error=error, quarantined_at=Now())


def renew_tokens() -> None:
    """Make up for lost tokens: a lane with due jobs has at least as many as idle slots."""
    awake = Slot.objects.alive().exclude(lane__in=PausedLane.objects.values("lane"))
    slots = awake.values("lane").annotate(number=Count("name")).order_by()
    for lane, number in slots.values_list("lane", "number"):
        due = len(Job.objects.due(lane)[:number])
        for _ in range(due - queue.waiting_tokens(lane)):
            queue.wake(lane)


def tick() -> None:
    """Reap and renew, on one slot of the installation at a time."""
    with connection.cursor() as cursor:
        # The session's, not a transaction's; PostgreSQL lets go of it where the process dies.
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if cursor.fetchone() != (True,):
            return
        try:
            reap()
            placement.move_stranded()
            renew_tokens()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def sweep() -> None:
    """Remove what is past its time: expired files, old keys, silent slots."""
    retention.sweep()
    idempotency.forget_old()
    rate_limit.forget_old()
    sessions.forget_old()
    reservations.forget_old()
    alerts.mail_due()
    Slot.objects.filter(heartbeat_at__lt=Now() - timedelta(hours=1)).delete()
