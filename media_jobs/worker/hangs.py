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

from media_jobs.models import Job, Status
from media_jobs.worker import gate

logger = logging.getLogger(__name__)

# After the lease has run out: what wakes up from a short stop, or was cut off, has ended by then.
_WITHOUT_LEASE_S = 6.0
_SILENT_S = 30.0  # far longer than a round of those loops, and than a database that stumbles
_STOPPED = {psutil.STATUS_STOPPED}


@dataclass(frozen=True)
class Symptom:
    told: str
    which: Hashable
    """What it is about: another token, say, is another symptom."""
    patience_s: float


class Hangs:
    """What stands still in the slot ``slot``, and for how long it has been seen to.

    Each look asks the database once; where that is away nothing is known, and what raises makes
    every symptom begin anew.
    """

    def __init__(self, slot: str, sentinel_pid: int) -> None:
        self._slot = slot
        self._sentinel_pid = sentinel_pid
        self._since: dict[Symptom, float] = {}

    def look(self) -> None:
        """Take note of what is to be seen now."""
        now = time.monotonic()
        before, self._since = self._since, {}
        self._since = {each: before.get(each, now) for each in self._symptoms()}

    @property
    def suspected(self) -> str:
        """What was seen at two looks, and so is more than a moment between two steps."""
        return self._seen_for(0.1)

    @property
    def certain(self) -> str:
        return self._seen_for(None)

    def _seen_for(self, at_least_s: float | None) -> str:
        now = time.monotonic()
        for symptom, since in self._since.items():
            limit_s = symptom.patience_s if at_least_s is None else at_least_s
            if now - since >= limit_s:
                return symptom.told
        return ""

    def _symptoms(self) -> Iterator[Symptom]:
        now, token = time.monotonic(), gate.taken_at.value
        if token and not self._holds_lease():
            yield Symptom("the worker neither works nor ends", token, _WITHOUT_LEASE_S)
        if not gate.draining.is_set():
            if not token and _is_silent(gate.pusher_at.value, now):
                yield Symptom("nothing takes tokens", "pusher", 0)
            if _is_silent(gate.sentinel_at.value, now):
                yield Symptom("the sentinel is silent", "sentinel", 0)
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
