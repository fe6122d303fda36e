"""R8: the clock that chaos gives the site: only what tells the time of day is off."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaos.clock import Clock

_LOOK = """
import multiprocessing, time
began = time.monotonic()
time.sleep(0.1)
multiprocessing.get_context("fork").Semaphore(0).acquire(timeout=0.1)
print(time.time(), time.monotonic() - began)
"""


def _look(clock: Clock) -> tuple[float, float]:
    told = subprocess.run(
        [sys.executable, "-c", _LOOK],
        env=dict(os.environ) | clock.settings,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    return float(told[0]) - time.time(), float(told[1])


@pytest.mark.parametrize("off_by_s", [0, 7200, -3600])
def test_it_works(tmp_path: Path, off_by_s: int) -> None:
    clock = Clock.made_in(tmp_path)
    clock.set_off_by(off_by_s)
    off_s, waited_s = _look(clock)
    assert off_s == pytest.approx(off_by_s, abs=5)
    assert 0.2 <= waited_s < 5
