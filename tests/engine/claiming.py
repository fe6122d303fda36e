from __future__ import annotations

from media_jobs.engine import states
from media_jobs.models import Job


def claim(
    slot: str = "slot-1",
    *,
    lane: str = "cpu",
    host: str = "host",
    memory_mb: int = 100_000,
    scratch_mb: int = 100_000,
) -> Job | None:
    """Claim for a slot of a host with plenty of room, unless the test says otherwise."""
    return states.claim(lane, states.Claimant(slot, host, memory_mb, scratch_mb))
