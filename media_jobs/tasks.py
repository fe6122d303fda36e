from __future__ import annotations

import os

from media_jobs import states
from media_jobs.worker import gate, runner


def work(lane: str) -> None:
    """Claim one due job of ``lane`` and run it; nothing happens where none is due."""
    if gate.draining.is_set():
        return
    job = states.claim(lane, os.environ["FFAPI_SLOT"])
    if job is not None:
        runner.run(job)
