"""R24: after many jobs the site holds no more than before: no descriptor, memory or file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.harness.customer import Customer
from tests.harness.media import Samples
from tests.harness.site import Site

pytestmark = pytest.mark.slow

# 2000 is what a release is tried with.
JOBS = int(os.environ.get("SOAK_JOBS", "40"))
_WARM_UP = 20
_SMALLEST = {"resolution": {"width": 160, "height": 90}, "preset": "fast"}


@dataclass(frozen=True)
class Held:
    descriptors: int
    memory_mb: float
    connections: int
    files: int

    @classmethod
    def by(cls, site: Site) -> Held:
        time.sleep(3)  # what ends has ended
        processes = [each for each in site.server.processes() if _is_ours(each)]
        [(connections,)] = site.rows(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
        return cls(
            descriptors=sum(process.num_fds() for process in processes),
            memory_mb=sum(process.memory_info().rss for process in processes) / 2**20,
            connections=connections,
            files=len(list(_loose_files(site))),
        )


def _is_ours(process: psutil.Process) -> bool:
    """The web server's and the slots' processes; the database looks after itself."""
    return "postgres" not in process.name()


def _loose_files(site: Site) -> Iterator[Path]:
    yield from site.scratch.rglob("*")
    yield from (site.server.folder / "uploads").rglob("*")


def _work(customer: Customer, source: str, number: int) -> None:
    def one(_: int) -> None:
        customer.completed(customer.submit("transcode", {"input": source} | _SMALLEST))

    with ThreadPoolExecutor(4) as clients:
        list(clients.map(one, range(number)))


@pytest.mark.timeout(3600)
def test_it_works(site: Site, alice: Customer, media: Samples) -> None:
    source = alice.upload(media.path("red"))["id"]
    _work(alice, source, _WARM_UP)
    before = Held.by(site)
    _work(alice, source, JOBS)
    after = Held.by(site)
    print(f"before {before}, after {JOBS} jobs {after}")  # noqa: T201 -- figures to look at
    assert after.descriptors <= before.descriptors * 1.05 + 8, (before, after)
    assert after.memory_mb <= before.memory_mb * 1.05 + 8, (before, after)
    assert after.connections <= before.connections + 4, (before, after)
    assert after.files <= before.files, (before, after)
