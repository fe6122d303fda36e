"""What a long queue and a long history cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from statistics import median

from django.db import connection, transaction

from bench.client import Client, seconds
from bench.dispatch import p95
from bench.figure import Figure
from bench.site import Site
from ffapi_site.database.owner import as_owner
from media_jobs.engine import states
from media_jobs.models import Job, Status

_TENANTS = 50
_SHORT, _LONG = 1_000, 100_000
_ROUNDS, _CLAIMS = 3, 150
_CLAIMS_A_SECOND = 500
_SLOWER_AT_MOST = 1.1
_FEW, _MANY = 10_000, 1_000_000
_LISTS = 100
_LIST_SLOWER_AT_MOST = 1.2

_fillings = count()  # what was used is accounted for by its id, for good

_TENANTS_OF_THE_BENCH = """
INSERT INTO accounts_tenant (id, name, webhook_secret, is_active, requires_totp, created_at)
SELECT 'tnt_bench' || n, 'bench-' || n, '', true, false, now() FROM generate_series(1, %s) AS n
ON CONFLICT DO NOTHING
"""
_JOBS = """
INSERT INTO media_jobs_job
    (id, tenant_id, operation, params, output_name, metadata, tags, webhook_url, status, priority,
     lane, memory_mb, scratch_mb, attempt, max_attempts, slot, host, progress, device,
     device_asked, warnings, usage, finished_at)
SELECT 'job_bench{filling}_' || lpad(n::text, 9, '0'), {tenant}, 'transcode', '{{}}', '',
    '{{}}', '{{}}', '', %s, 1,
    'cpu', 1, 1, 0, 4, '', '', '{{}}', '', 'auto', '[]', '{{}}', {finished}
FROM generate_series(1, %s) AS n
"""


def claims(site: Site) -> Figure:
    """Claims a second with a long queue, against those with a short one."""
    took: dict[int, list[float]] = {_SHORT: [], _LONG: []}
    with site.slots_asleep():
        for _ in range(_ROUNDS):  # in turns: the machine's own speed changes within seconds
            for queued, taken in took.items():
                taken.extend(_claims_s(queued))
    few, many = (1 / median(taken) for taken in took.values())
    return Figure(
        f"claims, {_LONG:,} queued of {_TENANTS} tenants",
        f"{many:.0f} a second",
        f"{few:.0f} a second with {_SHORT:,}",
        few / many,
        f"{_CLAIMS_A_SECOND} wanted",
        is_met=many >= _CLAIMS_A_SECOND and few / many <= _SLOWER_AT_MOST,
    )


def _claims_s(queued: int) -> list[float]:
    of_them = f"'tnt_bench' || (n %% {_TENANTS} + 1)"
    with _rows(queued, Status.QUEUED, tenant=of_them, finished="NULL"):
        by = states.Claimant("bench", "bench", memory_mb=1_000_000, scratch_mb=1_000_000)
        taken = []
        for _ in range(_CLAIMS):
            began = time.perf_counter()
            job = states.claim("cpu", by)
            taken.append(time.perf_counter() - began)
            if job is None:
                raise RuntimeError("there was nothing to claim")
            usage = {"cpu_seconds": 1.0, "wall_seconds": 1.0}
            states.end(job, Status.COMPLETED, "bench", usage=usage)
    return taken


def lists(site: Site, *, full: bool) -> Figure:
    """The first page of a tenant's jobs with a long history, against a short one."""
    number = _MANY if full else _MANY // 10
    few, many = _page_s(site, _FEW), _page_s(site, number)
    return Figure(
        f"GET /v1/jobs of {number:,}, p95",
        f"{many * 1000:.0f} ms",
        f"{few * 1000:.0f} ms of {_FEW:,}",
        many / few,
        "" if full else "FULL=1 takes a million",
        is_met=many / few <= _LIST_SLOWER_AT_MOST,
    )


def _page_s(site: Site, number: int) -> float:
    client = Client.to(site.port, site.key)
    own = "(SELECT id FROM accounts_tenant WHERE name = 'bench')"
    with _rows(number, Status.COMPLETED, tenant=own, finished="now()"):
        for _ in range(5):
            client.get("/v1/jobs")
        return p95([seconds(lambda: client.get("/v1/jobs")) for _ in range(_LISTS)])


@contextmanager
def _rows(number: int, status: Status, *, tenant: str, finished: str) -> Iterator[None]:
    try:
        with as_owner(), transaction.atomic(), connection.cursor() as cursor:
            # Without triggers: a million events are not what is measured.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute(_TENANTS_OF_THE_BENCH, [_TENANTS])
            insert = _JOBS.format(filling=next(_fillings), tenant=tenant, finished=finished)
            cursor.execute(insert, [status, number])
        _run("VACUUM ANALYZE media_jobs_job")
        yield
    finally:
        Job.objects.filter(attempt__gt=0, id__startswith="job_bench").delete()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("DELETE FROM media_jobs_fairshare WHERE tenant_id LIKE 'tnt_bench%'")
            cursor.execute("DELETE FROM media_jobs_job WHERE id LIKE 'job_bench%'")
        _run("VACUUM ANALYZE media_jobs_job")


def _run(statement: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(statement)
