from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from media_jobs.engine import queue_snapshot
from media_jobs.engine.queue_snapshot import Running, Snapshot
from media_jobs.models import Job, Status


class Reason(StrEnum):
    """Why a queued job has not started; the first that applies."""

    NOT_DUE = "not_due"
    TENANT_SUSPENDED = "tenant_suspended"
    QUOTA_SUSPENDED = "quota_suspended"
    LANE_PAUSED = "lane_paused"
    NO_SLOT = "no_slot"
    NO_SANDBOX = "no_sandbox"
    TENANT_CAP = "tenant_cap"
    TENANT_SHARE = "tenant_share"
    KEY_CAP = "key_cap"
    SLOTS_BUSY = "slots_busy"
    HOST_MEMORY = "host_memory"
    SCRATCH_SPACE = "scratch_space"
    NEXT = "next"


# Nobody can tell when these pass.
_OPEN_ENDED = {
    *(Reason.TENANT_SUSPENDED, Reason.QUOTA_SUSPENDED, Reason.LANE_PAUSED),
    *(Reason.NO_SLOT, Reason.NO_SANDBOX),
}


@dataclass(frozen=True)
class Place:
    position: int
    """Among the tenant's own jobs of the lane: 1 is claimed first."""
    reason: Reason
    detail: str
    starts_at: datetime | None
    """An estimate."""


def places(jobs: Iterable[Job]) -> dict[str, Place]:
    """Give the place of each queued job among ``jobs``, by its id."""
    queued = [job for job in jobs if job.status == Status.QUEUED]
    if not queued:
        return {}
    seen = queue_snapshot.take(queued)
    found = {}
    for job in queued:
        position = 1 + seen.ahead.get(job.id, 0)
        reason = _reason(job, position, seen)
        detail = _detail(job, reason, position, seen)
        found[job.id] = Place(position, reason, detail, _starts_at(job, reason, position, seen))
    return found


def _reason(job: Job, position: int, seen: Snapshot) -> Reason:
    """What ``ffapi_claim`` would stop at, in the order in which it looks."""
    if job.run_at > seen.now:
        return Reason.NOT_DUE
    if not seen.tenants[job.tenant_id].is_active:
        return Reason.TENANT_SUSPENDED
    if seen.tenants[job.tenant_id].is_held:
        return Reason.QUOTA_SUSPENDED
    if job.lane in seen.paused:
        return Reason.LANE_PAUSED
    if not seen.slots_of(job.lane):
        return Reason.NO_SANDBOX if seen.has_unfit_slots(job.lane) else Reason.NO_SLOT
    full = (
        reason
        for reason, cap in _caps(job, seen).items()
        if len(_blockers(job, reason, seen)) >= cap
    )
    return next(full, None) or _missing_room(job, position, seen) or Reason.NEXT


def _caps(job: Job, seen: Snapshot) -> dict[Reason, int]:
    key = job.api_key_id
    own = seen.tenants[job.tenant_id].cap
    caps = {
        Reason.TENANT_CAP: own,
        Reason.TENANT_SHARE: seen.shares.get(job.lane) if own is None else None,
        Reason.KEY_CAP: seen.key_caps.get(key) if key else None,
    }
    return {reason: cap for reason, cap in caps.items() if cap is not None}


def _missing_room(job: Job, position: int, seen: Snapshot) -> Reason | None:
    idle = seen.idle_slots_of(job.lane)
    if len(idle) < position:
        return Reason.SLOTS_BUSY
    hosts = {slot.host: slot for slot in idle}
    running = {host: seen.running_on(host) for host in hosts}
    with_memory = [
        slot
        for slot in hosts.values()
        # What is too large for the whole host runs alone.
        if not running[slot.host]
        or job.memory_mb + sum(each.memory_mb for each in running[slot.host]) <= slot.memory_mb
    ]
    if not with_memory:
        return Reason.HOST_MEMORY
    if not any(
        job.scratch_mb + sum(each.scratch_mb for each in running[slot.host]) <= slot.scratch_mb
        for slot in with_memory
    ):
        return Reason.SCRATCH_SPACE
    return None


def _detail(job: Job, reason: Reason, position: int, seen: Snapshot) -> str:
    counted = (
        f"{position - 1:,}"
        if position <= queue_snapshot.COUNTED
        else f"{queue_snapshot.COUNTED:,} and more"
    )
    ahead = f"; {counted} of your jobs are before it" if position > 1 else ""
    return {
        Reason.NOT_DUE: f"it is not to start before {job.run_at:%Y-%m-%d %H:%M:%S} UTC",
        Reason.TENANT_SUSPENDED: "the tenant is suspended",
        Reason.QUOTA_SUSPENDED: "the tenant is held, which the operators lift",
        Reason.LANE_PAUSED: f"the operators have paused this queue: {seen.paused.get(job.lane)}",
        Reason.NO_SLOT: f"no worker for {job.lane} jobs is up",
        Reason.NO_SANDBOX: "no worker can confine FFmpeg, so none takes jobs",
        Reason.TENANT_CAP: f"as many jobs run as the tenant may run at once{ahead}",
        Reason.TENANT_SHARE: f"the other workers are kept for other tenants{ahead}",
        Reason.KEY_CAP: f"as many jobs run as this API key may run at once{ahead}",
        Reason.SLOTS_BUSY: f"every worker is busy{ahead}",
        Reason.HOST_MEMORY: "no worker has enough memory beside what runs there",
        Reason.SCRATCH_SPACE: "no worker has enough disk space beside what runs there",
        Reason.NEXT: "it is about to start",
    }[reason].removesuffix(": ")


def _starts_at(job: Job, reason: Reason, position: int, seen: Snapshot) -> datetime | None:
    """Take it that the lane's slots are shared evenly between those who wait for them."""
    if reason in _OPEN_ENDED:
        return None
    if reason == Reason.NOT_DUE:
        return job.run_at
    typical_s = seen.tenants[job.tenant_id].typical_s
    share = len(seen.slots_of(job.lane)) / max(seen.rivals[job.lane], 1)
    at_once = min([share, *_caps(job, seen).values()])
    if at_once <= 0:
        return None  # a cap of none
    blockers = [] if reason == Reason.NEXT else _blockers(job, reason, seen)
    remaining_s = (
        max(typical_s - (each.ran_s or 0.0), 0.0) if each.eta_s is None else each.eta_s
        for each in blockers
    )
    first_s = min(remaining_s, default=0.0)
    return seen.now + timedelta(seconds=first_s + (position - 1) * typical_s / at_once)


def _blockers(job: Job, reason: Reason, seen: Snapshot) -> list[Running]:
    """The running jobs of which one has to end first."""
    if reason == Reason.TENANT_CAP:
        return [each for each in seen.running if each.tenant == job.tenant_id]
    if reason == Reason.TENANT_SHARE:
        own = [each for each in seen.running if each.tenant == job.tenant_id]
        return [each for each in own if each.lane == job.lane]
    if reason == Reason.KEY_CAP:
        return [each for each in seen.running if each.key == job.api_key_id]
    if reason == Reason.SLOTS_BUSY:
        return [each for each in seen.running if each.lane == job.lane]
    return list(seen.running)
