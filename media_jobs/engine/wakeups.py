"""Tokens: the only way in which the rest of the project speaks to django-q2."""

from __future__ import annotations

from django.db.models import Count
from django_q.brokers import get_broker
from django_q.tasks import async_task

from media_jobs.models import Job, PausedLane, Slot

WORK = "media_jobs.slot.tasks.work"


def wake(lane: str) -> None:
    """Tell the slots of ``lane``, when the transaction commits, that a job may be due.

    The message says no more than its lane. That it is a task, signed and pickled, is for slots of
    the version before, which may still run during an upgrade; no other reads it.
    """
    async_task(WORK, lane, cluster=lane)


def waiting_tokens(lane: str) -> int:
    size: int = get_broker(lane).queue_size()
    return size


def renew() -> None:
    """Make up for lost tokens: a lane with due jobs has at least as many as idle slots."""
    awake = Slot.objects.working().exclude(lane__in=PausedLane.objects.values("lane"))
    slots = awake.values("lane").annotate(number=Count("name")).order_by()
    for lane, number in slots.values_list("lane", "number"):
        due = len(Job.objects.due(lane)[:number])
        for _ in range(due - waiting_tokens(lane)):
            wake(lane)
