"""One run: clients and faults side by side, then quiet, then the proof."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg

from chaos import faults, invariants
from chaos.clients import Client, Sources
from chaos.ground import Ground, ground
from chaos.injector import Injector
from chaos.invariants import CHECKS, Evidence
from chaos.ledger import Ledger
from chaos.scene import Fault, Scene
from tests.harness.far_end import FarEnd
from tests.harness.media import Samples

SETTLES_WITHIN_S = 90
_ALL_HAPPEN_WITHIN_S = 300
_KEY_IS_FREE_AFTER_S = 130  # the claim on an Idempotency-Key outlives the one that died with it
_TENANTS = {"amber": 8, "birch": 8, "cedar": 1}


@dataclass(frozen=True)
class Plan:
    faults: Sequence[Fault]
    for_s: float
    gap_s: tuple[float, float]
    repeats_to_the_end: bool
    """Whether every request is repeated until it is answered, also those whose server died."""

    each_happens: bool = False
    """Whether there is time for each fault to happen at least once."""

    def lasting(self, seconds: float) -> Plan:
        return replace(self, for_s=seconds, each_happens=seconds >= _ALL_HAPPEN_WITHIN_S)


LONG = Plan(faults.ALL, for_s=0, gap_s=(1, 5), repeats_to_the_end=True).lasting(300)
SHORT = Plan(faults.QUICK, for_s=20, gap_s=(0.5, 1.5), repeats_to_the_end=False)


def run(seed: int, plan: Plan) -> bool:
    """Tell whether everything held."""
    _say(f"seed {seed}: faults for {plan.for_s:.0f} s")
    ledger = Ledger()
    with (
        FarEnd() as far_end,
        TemporaryDirectory(prefix="chaos-media.") as media,
        ground(f"{seed}-{os.getpid()}", far_end.authority) as harmed,
    ):
        able = [fault for fault in plan.faults if fault.__name__ not in harmed.missing]
        clients = _clients(harmed, far_end, ledger, seed, Path(media))
        scene = Scene(harmed, random.Random(seed), [client.customer for client in clients])
        injector = Injector(scene, able, plan.gap_s, _say)
        with _at_work(clients):
            injector.run(plan.for_s)
        evidence = Evidence(harmed, ledger, far_end)
        settled_s = _settle(evidence)
        if plan.repeats_to_the_end:
            _repeat(clients, ledger)
            _settle(evidence)
        violations = {check.__name__: list(check(evidence)) for check in CHECKS}
        if plan.each_happens:
            violations["each_fault_happened"] = injector.never_done()
        _report(evidence, injector)
        holds = _verdict(violations, settled_s)
        if not holds:
            _keep_logs(harmed, seed)
        return holds


def _clients(
    harmed: Ground, far_end: FarEnd, ledger: Ledger, seed: int, media: Path
) -> list[Client]:
    samples, stop, made = Samples(media), threading.Event(), []
    for number, (name, cap) in enumerate(_TENANTS.items()):
        customer = harmed.customer(name)
        update = "UPDATE accounts_tenant SET max_concurrent_jobs = %s WHERE name = %s"
        harmed.rows(update, cap, customer.name)
        sources = Sources.of(customer, far_end, samples.path("red"), samples.path("film"))
        chance = random.Random(seed * 100 + number)
        made.append(Client(customer, sources, ledger, far_end, chance, stop))
    return made


@contextmanager
def _at_work(clients: list[Client]) -> Iterator[None]:
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        clients[0].stop.set()
        for thread in threads:
            thread.join()


def _settle(seen: Evidence) -> float:
    """Give the seconds until nothing is under way any more, infinity where that takes too long."""
    began = time.monotonic()
    while time.monotonic() < began + SETTLES_WITHIN_S:
        if _is_quiet(seen):
            return time.monotonic() - began
        time.sleep(0.5)
    return float("inf")


def _is_quiet(seen: Evidence) -> bool:
    under_way = (
        invariants.i2_every_job_has_ended,
        invariants.i4_no_ffmpeg_is_left,
        invariants.i5_no_scratch_is_left,
        invariants.i9_every_slot_works,
    )
    try:
        return not any(any(check(seen)) for check in under_way)
    except psycopg.OperationalError:
        return False


def _repeat(clients: list[Client], ledger: Ledger) -> None:
    by_name = {client.customer.name: client for client in clients}
    until = time.monotonic() + _KEY_IS_FREE_AFTER_S
    while (left := ledger.unanswered()) and time.monotonic() < until:
        for entry in left:
            by_name[entry.key.rpartition("-")[0]].ask(entry)
        time.sleep(1)


def _report(seen: Evidence, injector: Injector) -> None:
    _say("\nfault                times  not found")
    for name in sorted(injector.done.keys() | injector.missed.keys()):
        _say(f"{name:20} {injector.done[name]:5} {injector.missed[name]:10}")
    for name, why in seen.ground.missing.items():
        _say(f"{name:20} left out: {why}")
    ledger = seen.ledger
    _say(f"\n{len(ledger.entries)} jobs were wanted, {len(ledger.unanswered())} never answered")
    statuses = Counter(answer.status for answer in ledger.answers)
    _say(f"answers {dict(sorted(statuses.items()))}, {ledger.broken_connections} without answer")
    times = [answer.seconds for answer in ledger.answers] or [0.0]
    _say(f"an answer took {median(times) * 1000:.0f} ms, the slowest {max(times):.1f} s")
    query = (
        "SELECT status, error->>'code', count(*), max(attempt) FROM media_jobs_job GROUP BY 1, 2"
    )
    for status, code, number, attempts in sorted(seen.ground.rows(query), key=str):
        _say(f"{number:6} {status} {code or ''} (at most {attempts} attempts)")


def _verdict(violations: dict[str, list[str]], settled_s: float) -> bool:
    _say("")
    for name, found in violations.items():
        _say(f"{'ok' if not found else 'VIOLATED':8} {name}")
        for violation in found[:20]:
            _say(f"         {violation}")
    settles = settled_s <= SETTLES_WITHIN_S
    _say(f"{'ok' if settles else 'VIOLATED':8} settled after {settled_s:.1f} s")
    return settles and not any(violations.values())


def _keep_logs(harmed: Ground, seed: int) -> None:
    kept = harmed.folder.parent / f"logs-{seed}"
    kept.mkdir(exist_ok=True)
    for path in [*(harmed.folder / "logs").iterdir(), harmed.folder / "postgres" / "log"]:
        (kept / path.name).write_bytes(path.read_bytes())
    _say(f"\nthe site's logs are in {kept}")


def _say(line: str) -> None:
    print(line, flush=True)
