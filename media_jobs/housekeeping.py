"""What is done every few seconds so that a crash or a lost message costs seconds, not jobs."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.db.models import Count
from django.db.models.functions import Now

from accounts import idempotency, rate_limit
from accounts.people import sessions
from accounts.quotas import alerts, reservations
from media_jobs import courier, deaths, queue, states
from media_jobs.models import Job, PausedLane, Slot
from media_jobs.worker import placement
from storage import retention

# One number for one chore in the whole installation: whoever holds it does the work.
_LOCK = 0x46464150


def reap() -> int:
    """Queue again, or fail, every running job whose slot has fallen silent; give their number.

    Each in a transaction of its own: it ends with the tenant's counters, and whoever held those
    of several tenants would wait in a circle with the slots that end jobs of theirs.
    """
    return sum(
        deaths.lose(Job.objects.stalled().filter(pk=job.pk), states.WORKER_LOST)
        for job in Job.objects.stalled()
    )


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
    courier.forget_old()
    Slot.objects.filter(heartbeat_at__lt=Now() - timedelta(hours=1)).delete()
