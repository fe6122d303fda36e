"""Strangers' bytes cost time that grows with their number, and no faster.

Every pattern and every reader is looked at; what hangs is ended from here, and named.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest

from storage.intake import external_references
from tests.attacks.intake_files import FTYP, box
from tests.linear import patterns

_LIMIT_S = 500
# Of those that there were when this was written; fewer means that some are not found any more.
_LEAST_PATTERNS, _LEAST_READERS = 110, 140


def pumped(what: str) -> list[dict[str, Any]]:
    """What a process of its own tells of all that it pumped."""
    command = [sys.executable, "-m", "tests.linear.run", what]
    environment = os.environ | {"PYTHONPATH": str(patterns.ROOT)}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_LIMIT_S, check=False, env=environment
        )
    except subprocess.TimeoutExpired as hung:
        at = (hung.stdout or b"").decode().splitlines()[-1:]
        pytest.fail(f"it hung: {at}")
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def named(told: list[dict[str, Any]], key: str) -> list[Any]:
    return [each[key] for each in told if key in each]


def test_every_pattern_is_linear() -> None:
    told = pumped("patterns")
    assert named(told, "patterns")[0] >= _LEAST_PATTERNS
    assert len(named(told, "tries")) >= _LEAST_PATTERNS
    assert [each for each in told if "grows" in each] == []


def test_every_reader_is_linear() -> None:
    """One that is new, and takes more than texts, is to be registered or left out with a reason."""
    told = pumped("readers")
    assert named(told, "unknown") == []
    assert len(set(named(told, "reads"))) >= _LEAST_READERS
    assert [each for each in told if "grows" in each] == []


def test_what_was_here_is_found() -> None:
    told = pumped("old")
    grows = {name.split(" ")[0].partition(":")[0] for name in named(told, "grows")}
    assert grows == {"prologue", "measured", "progress", "failure", "formula", "marks", "header"}


def test_what_takes_long_says_that_it_goes_on() -> None:
    """Whatever looks through a whole file is heard of as often in a large one as in a small one."""
    silences = {}
    for size in (50_000, 200_000):
        told = [time.perf_counter()]
        content = io.BytesIO(FTYP + box(b"moov", box(b"free", b"") * size))
        assert external_references.found_in(content, lambda told=told: told.append(1)) is None  # type: ignore[misc]
        silences[size] = size / len(told)
    assert silences[200_000] < 2 * silences[50_000]
