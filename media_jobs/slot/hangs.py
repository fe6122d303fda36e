"""Whether the processes of a slot stand still, as its guard sees it from outside.

A worker that hangs can't say so: a pattern that holds the interpreter, a disk that is gone, a
deadlock, SIGSTOP. So it is judged by what others see: by the database it holds no lease, and yet
it has not given back the token that it works for. Between claim and end that is a moment; only a
worker that stands still leaves it so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import psutil
from django.conf import settings
from django.db.models.functions import Now

from media_jobs.engine import states
from media_jobs.host import slot_state
from media_jobs.models import Job, Status

logger = logging.getLogger(__name__)

# After the lease has run out: what wakes up from a short stop, or was cut off, has ended by then.
_WITHOUT_LEASE_S = 6.0
_SILENT_S = 30.0  # far longer than a round of those loops, and than a database that stumbles
_TWO_LOOKS_S = 0.1  # more than a moment between two steps
_LATE_S = 10.0  # between two looks: then the guard stood still itself, and all else with it
_STOPPED = {psutil.STATUS_STOPPED}


@dataclass(frozen=True)
class Symptom:
    told: str
    which: Hashable
    """What it is about: another token, say, is another symptom."""
    patience_s: float
    cause: str = states.WORKER_LOST
    """The outcome of the attempt that ends with the slot; mostly one that blames no job."""


class Hangs:
    """What stands still in the slot ``slot``, and for how long it has been seen to.

    Each look asks the database once; where that is away nothing is known, and what raises makes
    every symptom begin anew. So does a look that comes late: a machine that was paused, or that
    had no CPU to give, shows at once all that did not go on meanwhile.
    """

    def __init__(self, slot: str, sentinel_pid: int) -> None:
        self._slot = slot
        self._sentinel_pid = sentinel_pid
        self._since: dict[Symptom, float] = {}
        self._looked_at = time.monotonic()

    def look(self) -> None:
        """Take note of what is to be seen now."""
        is_late = time.monotonic() - self._looked_at > _LATE_S
        before, self._since = {} if is_late else self._since, {}
        try:
            symptoms = list(self._symptoms())
        finally:
            now = self._looked_at = time.monotonic()
        self._since = {each: before.get(each, now) for each in symptoms}

    @property
    def suspected(self) -> str:
        """What was seen at two looks."""
        return next((each.told for each in self._since if self._seen_s(each) >= _TWO_LOOKS_S), "")

    @property
    def certain(self) -> Symptom | None:
        """What was seen for longer than anything that goes on is to be seen so."""
        return next((each for each in self._since if self._seen_s(each) >= each.patience_s), None)

    def _seen_s(self, symptom: Symptom) -> float:
        return self._looked_at - self._since[symptom]

    def _symptoms(self) -> Iterator[Symptom]:
        now, token = time.monotonic(), slot_state.taken_at.value
        if token and not self._holds_lease():
            told = "the worker neither works nor ends"
            yield Symptom(told, token, _WITHOUT_LEASE_S, states.WORKER_HUNG)
        if not slot_state.draining.is_set():
            if not token and _is_silent(slot_state.pusher_at.value, now):
                yield Symptom("nothing takes tokens", "pusher", _TWO_LOOKS_S)
            if _is_silent(slot_state.sentinel_at.value, now):
                yield Symptom("the sentinel is silent", "sentinel", _TWO_LOOKS_S)
        for pid in self._stopped():
            yield Symptom("a process was stopped", pid, settings.LEASE_SECONDS + _WITHOUT_LEASE_S)

    def _holds_lease(self) -> bool:
        running = Job.objects.filter(slot=self._slot, status=Status.RUNNING)
        return running.filter(lease_until__gt=Now()).exists()

    def _stopped(self) -> Iterator[int]:
        try:
            sentinel = psutil.Process(self._sentinel_pid)
            for process in (sentinel, *sentinel.children()):
                if process.status() in _STOPPED:
                    yield process.pid
        except psutil.NoSuchProcess:
            return


def _is_silent(seen_at: float, now: float) -> bool:
    """Of one that has been seen at all: the slot may just have started."""
    return seen_at > 0 and now - seen_at > _SILENT_S
