"""How long a fuzz test goes on: a short while in every run, ``FUZZ_SECONDS`` where it is set.

FUZZ_SECONDS=600 python -m pytest -s tests/fuzz/test_command.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))


def examples(many: int, few: int) -> int:
    """How many a test draws at a time: few in every run, each time others; many at night."""
    return many if SECONDS else few


def check_shares(*, holds: bool) -> None:
    """Fail where too little of a kind was drawn; a few draws, each like the last, say nothing."""
    assert holds or not SECONDS


def repeated(run: Callable[[], None]) -> None:
    """Run a Hypothesis test once, or again and again until the time is up: each draws anew."""
    started = time.monotonic()
    run()
    while time.monotonic() - started < SECONDS:
        run()
