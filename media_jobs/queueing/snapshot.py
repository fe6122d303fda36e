from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import ApiKey, Tenant
from media_jobs.models import FairShare, Job, PausedLane, Slot, Status

# Who stands further back is told that there are more: the count stays cheap in any queue.
COUNTED = 10_000
_RIVALS_COUNTED = 200

# The index `job_due` gives a tenant's queue in the order of its claims.
_AHEAD = """
SELECT id, ahead FROM (
    SELECT id, count(*) FILTER (WHERE run_at <= statement_timestamp()) OVER (
        ORDER BY rank, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ahead
    FROM (SELECT id, rank, run_at FROM media_jobs_job
          WHERE status = 'queued' AND lane = %s AND tenant_id = %s
          ORDER BY rank, id LIMIT %s) AS counted
) AS placed WHERE id = ANY(%s)
"""

_RIVALS = """
WITH RECURSIVE waiting AS (
    (SELECT j.tenant_id FROM media_jobs_job j
      WHERE j.status = 'queued' AND j.lane = %(lane)s ORDER BY j.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT j.tenant_id FROM media_jobs_job j
             WHERE j.status = 'queued' AND j.lane = %(lane)s AND j.tenant_id > waiting.tenant_id
             ORDER BY j.tenant_id LIMIT 1)
      FROM waiting WHERE waiting.tenant_id IS NOT NULL
)
SELECT count(*) FROM (SELECT FROM waiting WHERE tenant_id IS NOT NULL LIMIT %(most)s) AS counted
"""


@dataclass(frozen=True)
class Snapshot:
    """All that decides on the claim of some queued jobs, as it is at one moment."""

    now: datetime
    ahead: dict[str, int]
    paused: dict[str, str]
    slots: tuple[Slot, ...]
    running: tuple[Job, ...]
    tenants: dict[str, Tenant]
    key_caps: dict[str, int | None]
    typical_s: dict[str, float]
    rivals: dict[str, int]
    """Tenants with jobs waiting, by lane."""

    def slots_of(self, lane: str) -> list[Slot]:
        return [slot for slot in self.slots if slot.lane == lane and slot.is_fit]

    def has_unfit_slots(self, lane: str) -> bool:
        return any(slot.lane == lane and not slot.is_fit for slot in self.slots)

    def idle_slots_of(self, lane: str) -> list[Slot]:
        busy = {job.slot for job in self.running}
        return [slot for slot in self.slots_of(lane) if slot.name not in busy]

    def running_on(self, host: str) -> list[Job]:
        return [job for job in self.running if job.host == host]


def take(jobs: Collection[Job]) -> Snapshot:
    """Look at what the queued ``jobs`` wait for, in a number of queries that is always the same."""
    tenants = {job.tenant_id for job in jobs}
    keys = {job.api_key_id for job in jobs}
    caps = ApiKey.objects.filter(pk__in=keys).values_list("pk", "max_concurrent_jobs")
    shares = FairShare.objects.filter(pk__in=tenants)
    return Snapshot(
        now=_now(),
        ahead=_ahead(jobs),
        paused=dict(PausedLane.objects.values_list("lane", "reason")),
        slots=tuple(Slot.objects.alive()),
        running=tuple(Job.objects.filter(status=Status.RUNNING)),
        tenants=Tenant.objects.in_bulk(tenants),
        key_caps=dict(caps),
        typical_s=dict(shares.values_list("pk", "typical_wall_seconds")),
        rivals={lane: _rivals(lane) for lane in {job.lane for job in jobs}},
    )


def _now() -> datetime:
    moment: datetime = _one("SELECT statement_timestamp()", {})
    return moment


def _rivals(lane: str) -> int:
    return int(_one(_RIVALS, {"lane": lane, "most": _RIVALS_COUNTED}))


def _one(query: str, values: dict[str, str | int]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchone()[0]


def _ahead(jobs: Iterable[Job]) -> dict[str, int]:
    """How many due jobs of the same tenant are claimed before each of ``jobs``."""
    queues: dict[tuple[str, str], list[str]] = defaultdict(list)
    for job in jobs:
        queues[job.lane, job.tenant_id].append(job.id)
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for (lane, tenant), ids in queues.items():
            cursor.execute(_AHEAD, (lane, tenant, COUNTED, ids))
            found |= dict(cursor.fetchall())
    return found
