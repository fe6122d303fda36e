"""What chaos withholds from the site: R26 the answer to a COMMIT, R32 the end of a flush."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.withheld import Withheld

_ASK = """
import socket
ours, theirs = socket.socketpair()
for question in (b"COMMENT\\0", b"Q\\0COMMIT\\0", b"again"):
    try:
        ours.send(question)
        theirs.send(b"answer to " + theirs.recv(20))
        print(ours.recv(40))
    except OSError as error:
        print(type(error).__name__)
"""

_FLUSH = """
import os, sys, time
with open(sys.argv[1], "wb") as file:
    for _ in range(2):
        began = time.monotonic()
        os.fsync(file)
        print(time.monotonic() - began)
"""


@pytest.fixture
def withheld(tmp_path: Path) -> Withheld:
    return Withheld.made_in(tmp_path)


def _told(withheld: Withheld, script: str, *words: str, **variables: str) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-c", script, *words],
        env=dict(os.environ) | withheld.settings | variables,
        check=True,
        capture_output=True,
        text=True,
    )
    return run.stdout.split("\n")[:-1]


def test_nothing_is_withheld_unasked(withheld: Withheld) -> None:
    assert len([each for each in _told(withheld, _ASK) if "answer" in each]) == 3


def test_the_answer_to_a_commit_is_swallowed(withheld: Withheld) -> None:
    withheld.swallow_commits(1)
    first, second, _ = _told(withheld, _ASK)
    assert "COMMENT" in first
    assert second == "ConnectionResetError"
    assert withheld.commits_left == 0


def test_one_flush_of_a_slot_is_slow(withheld: Withheld, tmp_path: Path) -> None:
    withheld.slow_next_flush(1)
    (tmp_path / "media").mkdir()
    path = str(tmp_path / "media" / "file")
    assert max(map(float, _told(withheld, _FLUSH, path))) < 0.9
    slow, quick = map(float, _told(withheld, _FLUSH, path, FFAPI_SLOT="slot-1"))
    assert slow >= 1.0
    assert quick < 0.9
