from __future__ import annotations

import os

from media_jobs import queue, states
from media_jobs.models import Job
from media_jobs.worker import gate, host, runner


def work(lane: str) -> None:
    """Claim one job of ``lane`` and run it; nothing happens where none may be claimed.

    Afterwards it wakes a slot for what waits: its end may have made room under a cap.
    """
    if gate.draining.is_set() or gate.unfit.is_set():
        return
    job = states.claim(lane, _claimant())
    if job is None:
        return
    runner.run(job)
    if not queue.waiting_tokens(lane) and Job.objects.due(lane).exists():
        queue.wake(lane)


def _claimant() -> states.Claimant:
    return states.Claimant(
        slot=os.environ["FFAPI_SLOT"],
        host=host.name(),
        memory_mb=host.memory_mb(),
        scratch_mb=host.scratch_mb(),
    )
