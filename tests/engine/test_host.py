from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from media_jobs.host import machine
from tests.harness.server import eventually


@pytest.fixture
def crowd() -> Iterator[None]:
    """One that never rests for every CPU, and this process besides."""
    loop = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(loop) for _ in range(os.cpu_count() or 1)]
    yield
    for each in busy:
        each.kill()
        each.wait()


@pytest.mark.usefixtures("crowd")
def test_no_cpu_is_idle_where_more_want_to_run() -> None:
    assert eventually(lambda: not machine.has_idle_cpu(), within_s=10)


def test_a_cpu_is_idle_sooner_or_later() -> None:
    assert eventually(machine.has_idle_cpu, within_s=60)
