from __future__ import annotations

import os

from media_jobs.engine import states, wakeups
from media_jobs.host import machine, slot_state
from media_jobs.models import Job
from media_jobs.worker import attempt


def work(lane: str) -> None:
    """Claim one job of ``lane`` and run it; nothing happens where none may be claimed.

    Afterwards it wakes a slot for what waits: its end may have made room under a cap.
    """
    if slot_state.draining.is_set() or slot_state.unfit.is_set():
        return
    claimant = states.Claimant(
        slot=os.environ["FFAPI_SLOT"],
        host=machine.name(),
        memory_mb=machine.memory_mb(),
        scratch_mb=machine.scratch_mb(),
    )
    job = states.claim(lane, claimant)
    if job is None:
        return
    attempt.run(job)
    if not wakeups.waiting_tokens(lane) and Job.objects.due(lane).exists():
        wakeups.wake(lane)
