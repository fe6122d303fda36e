"""The lanes as their operators see and steer them: paused, resumed, drained, counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, Q
from django.db.models.functions import Now

from accounts import audit
from accounts.audit_events import AuditEvent
from ffapi_site.lib.lengths import fitted
from media_jobs.engine import wakeups
from media_jobs.models import Job, PausedLane, Slot, Status


@dataclass(frozen=True)
class Lane:
    name: str
    slots: int
    running: int
    queued: int
    oldest_due: datetime | None
    paused: str | None
    """Why it is paused, perhaps in no words; None where it is not."""


def known() -> list[str]:
    """Those that this host serves, and those that any slot or unfinished job belongs to."""
    unfinished = Job.objects.filter(status__in=[Status.QUEUED, Status.RUNNING])
    found = {*unfinished.order_by().values_list("lane", flat=True).distinct()}
    return sorted(found | settings.LANES.keys() | {slot.lane for slot in Slot.objects.alive()})


def pause(lane: str, reason: str, *, event: AuditEvent = AuditEvent.LANE_PAUSED) -> None:
    """Let the slots of ``lane`` take no further jobs; what runs there goes on."""
    said = {"reason": fitted(PausedLane, "reason", reason)}
    with transaction.atomic():
        PausedLane.objects.update_or_create(lane=lane, defaults=said)
        audit.record(event, None, lane, details=said)


def drain(lane: str, reason: str) -> int:
    """Pause ``lane`` until nothing runs there; tell how much still does."""
    pause(lane, reason, event=AuditEvent.LANE_DRAINED)
    return running(lane)


def resume(lane: str) -> bool:
    """Let the slots take jobs again, at once; tell whether the lane was paused."""
    with transaction.atomic():
        removed, _ = PausedLane.objects.filter(lane=lane).delete()
        if removed:
            audit.record(AuditEvent.LANE_RESUMED, None, lane)
        wakeups.renew()
    return bool(removed)


def running(lane: str) -> int:
    return Job.objects.filter(status=Status.RUNNING, lane=lane).count()


def overview() -> list[Lane]:
    paused = dict(PausedLane.objects.values_list("lane", "reason"))
    working = Slot.objects.working().order_by().values_list("lane")
    slots = dict(working.annotate(Count("pk")))
    waits = Q(status=Status.QUEUED)
    unfinished = Job.objects.filter(waits | Q(status=Status.RUNNING)).order_by()
    counted = unfinished.values_list("lane").annotate(
        running=Count("pk", filter=~waits),
        queued=Count("pk", filter=waits),
        oldest_due=Min("run_at", filter=waits & Q(run_at__lte=Now())),
    )
    jobs = {lane: (runs, queued, oldest) for lane, runs, queued, oldest in counted}
    return [
        Lane(name, slots.get(name, 0), *jobs.get(name, (0, 0, None)), paused.get(name))
        for name in sorted({*known(), *paused})
    ]
