"""What is done every few seconds so that a crash or a lost message costs seconds, not jobs."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from functools import partial

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from accounts import idempotency, rate_limit
from accounts.people import sessions
from accounts.quotas import alerts, reservations
from ffapi_site.lib.chores import Chore, Items
from media_jobs.engine import job_retention, lost_workers, states, wakeups
from media_jobs.events import webhooks
from media_jobs.maintenance.named import named
from media_jobs.models import Job, JobAttempt, Slot
from media_jobs.planning import placement
from storage import retention

# A guard that beats sees what its worker does, and says better than others what became of it.
_GUARD_BEATS_WITHIN = timedelta(seconds=9)
_LEFT_TO_GUARD = timedelta(seconds=20)

_LATE_S = 10.0  # between two looks that are seconds apart
_RENEWED_WITHIN_S = 10.0

_TICK_S = 3.0
_SWEEP_S = 20.0
_OLD_JOBS_S = 60.0
_LOST = Items("reap", rest_s=5.0, longest_rest_s=600.0)


class Pauses:
    """Whether this process, or a database that it waited for, stood still until a moment ago.

    Leases ran out meanwhile that nobody could renew: whoever works has a moment to do so. Nothing
    is known before the first look, which is to be followed by others every few seconds.
    """

    def __init__(self) -> None:
        self._looked_at = math.inf
        self._over_at = -math.inf

    def look(self) -> None:
        now = time.monotonic()
        if now - self._looked_at > _LATE_S:
            self._over_at = now
        self._looked_at = now

    def was_one_lately(self) -> bool:
        if self._looked_at != math.inf:
            self.look()
        return time.monotonic() - self._over_at < _RENEWED_WITHIN_S


def reap(pauses: Pauses | None = None) -> int:
    """Queue again, or fail, every running job whose slot has fallen silent; give their number.

    None just after one of ``pauses``. Each in a transaction of its own: it ends with the tenant's
    counters, and whoever held those of several tenants would wait in a circle with the slots that
    end jobs of theirs.
    """
    # A live guard that was there before the attempt is waited for, if not for long: it ends what it
    # finds to hang, with the cause and the slot; before that the job would only hang another one.
    guards = Slot.objects.alive(_GUARD_BEATS_WITHIN).filter(
        name=OuterRef("slot"), started_at__lt=OuterRef("last_started_at")
    )
    started = JobAttempt.objects.filter(job=OuterRef("pk"), number=OuterRef("attempt"))
    stalled = Job.objects.stalled().annotate(last_started_at=started.values("started_at"))
    unguarded = stalled.filter(Q(lease_until__lt=Now() - _LEFT_TO_GUARD) | ~Exists(guards))
    silent = list(unguarded)  # the database may stand still at this very question
    if pauses and pauses.was_one_lately():
        return 0
    return _LOST.each(silent, _lose, key=lambda job: job.pk)


def let_go(slot: str) -> int:
    """Likewise for those of ``slot``, whose guard knows that nobody works on them."""
    return _LOST.each(Job.objects.stalled().filter(slot=slot), _lose, key=lambda job: job.pk)


def _lose(job: Job) -> bool:
    stalled = Job.objects.stalled().filter(pk=job.pk, attempt=job.attempt)
    return lost_workers.lose(stalled, states.WORKER_LOST)


def queue_chores() -> list[Chore]:
    """What makes up for dead workers and lost messages, every few seconds."""
    pauses = Pauses()
    return [
        Chore("pauses", pauses.look),
        named("reap", partial(reap, pauses), every_s=_TICK_S, longest_rest_s=3.0),
        named("stranded", placement.move_stranded, every_s=_TICK_S, longest_rest_s=60.0),
        named("tokens", wakeups.renew, every_s=_TICK_S, longest_rest_s=3.0),
    ]


def cleaning() -> list[Chore]:
    """What removes what is past its time; each has its own trouble and waits for no other."""
    return [
        named("files", retention.sweep, every_s=_SWEEP_S),
        named("jobs", job_retention.sweep, every_s=_OLD_JOBS_S),
        named("kept answers", idempotency.forget_old, every_s=_SWEEP_S),
        named("rates", rate_limit.forget_old, every_s=_SWEEP_S),
        named("sessions", sessions.forget_old, every_s=_SWEEP_S),
        named("reservations", reservations.forget_old, every_s=_SWEEP_S),
        named("webhooks", webhooks.forget_old, every_s=_SWEEP_S),
        named("mail", alerts.mail_due, every_s=_SWEEP_S),
        named("slots", _forget_slots, every_s=_SWEEP_S),
    ]


def _forget_slots() -> None:
    Slot.objects.filter(heartbeat_at__lt=Now() - timedelta(hours=1)).delete()
