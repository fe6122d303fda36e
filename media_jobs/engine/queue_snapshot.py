from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from ffapi_site.lib import scope
from media_jobs.models import Job
from media_jobs.models.slot import SILENT

# Who stands further back is told that there are more: the count stays cheap in any queue.
COUNTED = 10_000
_RIVALS_COUNTED = 200

# One statement: every answer to a submission looks. The index `job_due` gives a tenant's queue in
# the order of its claims, and a step for each tenant that has jobs waiting.
_LOOK = """
WITH asked AS (
  SELECT id, lane, tenant_id FROM media_jobs_job WHERE id = ANY(%(jobs)s) AND status = 'queued'),
-- Once for all that are asked for: the planner would count again for each of them.
placed AS MATERIALIZED (
  SELECT counted.* FROM (SELECT DISTINCT lane, tenant_id FROM asked) AS queue, LATERAL (
    SELECT id, count(*) FILTER (WHERE run_at <= statement_timestamp()) OVER (
      ORDER BY rank, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ahead
    FROM (SELECT id, rank, run_at FROM media_jobs_job
          WHERE status = 'queued' AND lane = queue.lane AND tenant_id = queue.tenant_id
          ORDER BY rank, id LIMIT %(counted)s) AS first) AS counted)
SELECT statement_timestamp(), json_build_object(
  'ahead', (
    SELECT json_object_agg(asked.id, coalesce(placed.ahead, %(counted)s))
    FROM asked LEFT JOIN placed ON placed.id = asked.id),
  'paused', (SELECT json_object_agg(lane, reason) FROM media_jobs_pausedlane),
  'slots', (
    SELECT json_agg(json_build_object('name', name, 'lane', lane, 'host', host,
      'memory_mb', memory_mb, 'scratch_mb', scratch_mb,
      'is_fit', coalesce((sandbox->>'allowed')::boolean, true)) ORDER BY name)
    FROM media_jobs_slot
    WHERE heartbeat_at > statement_timestamp() - %(silent)s AND hung = ''),
  'running', (
    SELECT json_agg(json_build_object('slot', slot, 'lane', lane, 'host', host,
      'tenant', tenant_id, 'key', api_key_id, 'memory_mb', memory_mb, 'scratch_mb', scratch_mb,
      'ran_s', extract(epoch FROM statement_timestamp() - started_at),
      'eta_s', progress->'eta_seconds'))
    FROM media_jobs_job WHERE status = 'running'),
  'tenants', (
    SELECT json_object_agg(t.id, json_build_object('is_active', t.is_active,
      'is_held', t.quota_suspended_at IS NOT NULL,
      'cap', t.max_concurrent_jobs, 'typical_s', coalesce(s.typical_wall_seconds, 1)))
    FROM accounts_tenant t LEFT JOIN media_jobs_fairshare s ON s.tenant_id = t.id
    WHERE t.id = ANY(%(tenants)s)),
  'shares', (
    SELECT json_object_agg(lane, ffapi_default_cap(lane, %(default_cap)s, %(silent)s))
    FROM unnest(%(lanes)s::text[]) AS wanted (lane)),
  'key_caps', (
    SELECT json_object_agg(id, max_concurrent_jobs) FROM accounts_apikey
    WHERE id = ANY(%(keys)s)),
  'rivals', (
    SELECT json_object_agg(wanted.lane, (
      WITH RECURSIVE waiting AS (
        (SELECT j.tenant_id, 1 AS number FROM media_jobs_job j
          WHERE j.status = 'queued' AND j.lane = wanted.lane ORDER BY j.tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT j.tenant_id FROM media_jobs_job j
                 WHERE j.status = 'queued' AND j.lane = wanted.lane
                   AND j.tenant_id > waiting.tenant_id ORDER BY j.tenant_id LIMIT 1), number + 1
          FROM waiting WHERE waiting.tenant_id IS NOT NULL AND number < %(rivals)s)
      SELECT count(tenant_id) FROM waiting))
    FROM unnest(%(lanes)s::text[]) AS wanted (lane)))::text
"""


@dataclass(frozen=True)
class Desk:
    """A slot that is alive."""

    name: str
    lane: str
    host: str
    memory_mb: int
    """What all the jobs of its host may take together."""
    scratch_mb: int
    is_fit: bool
    """Does its sandbox hold, as far as it has told?"""


@dataclass(frozen=True)
class Running:
    """A job that some slot is doing."""

    slot: str
    lane: str
    host: str
    tenant: str
    key: str | None
    memory_mb: int
    scratch_mb: int
    ran_s: float | None
    eta_s: float | None


@dataclass(frozen=True)
class Standing:
    """A tenant, as far as it decides on its jobs' start."""

    is_active: bool
    is_held: bool
    """Did its quotas suspend it?"""
    cap: int | None
    typical_s: float


@dataclass(frozen=True)
class Snapshot:
    """All that decides on the claim of some queued jobs, as it is at one moment."""

    now: datetime
    ahead: dict[str, int]
    """Due jobs of the same tenant that are claimed before each; without those just claimed."""
    paused: dict[str, str]
    slots: tuple[Desk, ...]
    running: tuple[Running, ...]
    tenants: dict[str, Standing]
    shares: dict[str, int | None]
    """What a tenant without a cap of its own may run at once, by lane."""
    key_caps: dict[str, int | None]
    rivals: dict[str, int]
    """Tenants with jobs waiting, by lane."""

    def slots_of(self, lane: str) -> list[Desk]:
        return [slot for slot in self.slots if slot.lane == lane and slot.is_fit]

    def has_unfit_slots(self, lane: str) -> bool:
        return any(slot.lane == lane and not slot.is_fit for slot in self.slots)

    def idle_slots_of(self, lane: str) -> list[Desk]:
        busy = {job.slot for job in self.running}
        return [slot for slot in self.slots_of(lane) if slot.name not in busy]

    def running_on(self, host: str) -> list[Running]:
        return [job for job in self.running if job.host == host]


def take(jobs: Collection[Job]) -> Snapshot:
    """Look, in one query, at what the queued ``jobs`` wait for."""
    asked: dict[str, Any] = {
        "jobs": [job.id for job in jobs],
        "tenants": sorted({job.tenant_id for job in jobs}),
        "keys": sorted({job.api_key_id for job in jobs if job.api_key_id}),
        "lanes": sorted({job.lane for job in jobs}),
        "silent": SILENT,
        "default_cap": settings.MAX_CONCURRENT_JOBS_PER_TENANT,
        "counted": COUNTED,
        "rivals": _RIVALS_COUNTED,
    }
    # What others have waiting is counted, not shown.
    with scope.within(scope.EVERY_TENANT), connection.cursor() as cursor:
        cursor.execute(_LOOK, asked)
        now, told = cursor.fetchone()
    seen = json.loads(told)
    return Snapshot(
        now=now,
        ahead=seen["ahead"] or {},
        paused=seen["paused"] or {},
        slots=tuple(Desk(**each) for each in seen["slots"] or ()),
        running=tuple(Running(**each) for each in seen["running"] or ()),
        tenants={each: Standing(**facts) for each, facts in (seen["tenants"] or {}).items()},
        shares=seen["shares"] or {},
        key_caps=seen["key_caps"] or {},
        rivals=seen["rivals"] or {},
    )
