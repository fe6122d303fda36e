"""What a record costs the change that it is part of, and how soon it is sealed.

``python -m bench audit`` measures this alone, for a minute; ``make bench`` for ten seconds.
"""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.db import connection, transaction

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.models import AuditRecord, Tenant
from bench.dispatch import p95
from bench.figure import Figure
from ffapi_site.database.owner import as_owner

_CONNECTIONS = 8
_TENANTS = 20
_A_SECOND = 200
_ADDED_S = 0.005
_LAG_S = 2.0
_CHANGE = "INSERT INTO bench_change (told) VALUES (%s)"


@dataclass
class Load:
    """Transactions at a steady rate, and the age of the oldest unsealed record meanwhile.

    The ways to do one take turns by the second, so that all meet the same machine.
    """

    seconds: float
    ways: tuple[Callable[[], None], ...]
    took_s: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    lags_s: list[float] = field(default_factory=list)

    def run(self) -> None:
        stop = threading.Event()
        watch = threading.Thread(target=self._watch, args=(stop,))
        watch.start()
        try:
            with ThreadPoolExecutor(_CONNECTIONS) as pool:
                list(pool.map(self._write, range(_CONNECTIONS)))
        finally:
            stop.set()
            watch.join()

    def p95_s(self, way: int) -> float:
        return p95(self.took_s[way])

    def _write(self, number: int) -> None:
        pause_s = _CONNECTIONS / _A_SECOND
        due = time.perf_counter() + pause_s * number / _CONNECTIONS
        first, end = due, due + self.seconds * len(self.ways)
        try:
            connection.ensure_connection()
            while due < end:
                time.sleep(max(0.0, due - time.perf_counter()))
                way = int(due - first) % len(self.ways)
                began = time.perf_counter()
                with transaction.atomic():
                    self.ways[way]()
                self.took_s[way].append(time.perf_counter() - began)
                due += pause_s
        finally:
            connection.close()

    def _watch(self, stop: threading.Event) -> None:
        try:
            while not stop.wait(0.1):
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT COALESCE(extract(epoch FROM now() - min(at)), 0)"
                        " FROM accounts_auditrecord WHERE seq IS NULL"
                    )
                    self.lags_s.append(float(cursor.fetchone()[0]))
        finally:
            connection.close()


def records(*, seconds: float) -> Figure:
    """200 transactions a second of 20 tenants, each with a record, against the same without."""
    tenants = [
        Tenant.objects.get_or_create(name=f"bench-audit-{number}")[0].pk
        for number in range(_TENANTS)
    ]
    dice = random.Random(1)  # noqa: S311 -- the same tenants each time

    def bare() -> None:
        with connection.cursor() as cursor:
            cursor.execute(_CHANGE, ["a change"])

    def recorded() -> None:
        bare()
        audit.record(
            AuditEvent.JOB_CREATED, dice.choice(tenants), "job_bench", details={"lane": "cpu"}
        )

    _execute("CREATE TABLE bench_change (told text)", "GRANT INSERT ON bench_change TO PUBLIC")
    try:
        Load(1, (bare, recorded)).run()  # warm up
        load = Load(seconds, (bare, recorded))
        load.run()
    finally:
        _execute("DROP TABLE bench_change")
    _await_sealed()
    bare_s, recorded_s = load.p95_s(0), load.p95_s(1)
    added_s, lag_s = recorded_s - bare_s, max(load.lags_s)
    return Figure(
        f"a record of the change, {_A_SECOND} a second for {seconds:g} s, p95",
        f"{recorded_s * 1000:.1f} ms",
        f"{bare_s * 1000:.1f} ms, the change alone",
        recorded_s / bare_s,
        f"{added_s * 1000:+.1f} ms; sealed within {lag_s:.2f} s at worst",
        is_met=added_s <= _ADDED_S and lag_s <= _LAG_S,
    )


def _await_sealed() -> None:
    deadline = time.monotonic() + 10
    while AuditRecord.objects.filter(seq=None).exists():
        if time.monotonic() > deadline:
            raise RuntimeError("the records of the bench were not sealed")
        time.sleep(0.1)


def _execute(*statements: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
