"""R30: a process that stands still is killed from outside; one that goes on is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.harness.processes import is_dead
from tests.harness.server import eventually

ROOT = Path(__file__).parents[2]
_HEAD = """
import os, signal, sys, time
from pathlib import Path
from ffapi_site.lib.watched import run_watched
told = Path(sys.argv[1])
def work(go_on):
"""
_TAIL = "\nsys.exit(run_watched(work, patience_s=1, start_s=1))"


def _start(work: str, told: Path) -> subprocess.Popen[str]:
    lines = "".join(f"    {line}\n" for line in work.strip().splitlines())
    code = [sys.executable, "-c", _HEAD + lines + _TAIL, str(told)]
    return subprocess.Popen(code, cwd=ROOT, stderr=subprocess.PIPE, text=True)


_GOES_ON = """
told.write_text(str(os.getpid()))
for _ in range(100):
    go_on()
    time.sleep(0.1)
"""


def _await(told: Path) -> int:
    until = time.monotonic() + 30
    while not (told.exists() and told.read_text()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return int(told.read_text())


def _is_gone(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return True
    return eventually(lambda: is_dead(process), within_s=60)


@pytest.mark.parametrize(
    ("work", "status"), [("return 0", 0), ("return 7", 7), ("raise RuntimeError", 1)]
)
def test_it_works(tmp_path: Path, work: str, status: int) -> None:
    with _start(work, tmp_path / "told") as process:
        assert process.wait(30) == status


def test_its_end_waits_for_no_child_of_its_own(tmp_path: Path) -> None:
    """As multiprocessing would: a guard whose main thread failed waited for its sentinel."""
    work = """
from multiprocessing import get_context
get_context("fork").Process(target=time.sleep, args=(30,)).start()
raise RuntimeError
"""
    with _start(work, tmp_path) as process:
        assert process.wait(20) == 1  # the child sleeps for longer


def test_one_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    with _start("for _ in range(20):\n    go_on()\n    time.sleep(0.1)\nreturn 3", tmp_path) as it:
        assert it.wait(60) == 3


@pytest.mark.parametrize(
    "work",
    [
        "time.sleep(600)",
        "go_on()\nimport re\nre.match('(a+)+b', 'a' * 60)",
        "go_on()\nos.kill(os.getpid(), signal.SIGSTOP)",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass",
    ],
)
def test_one_that_stands_still_is_killed(tmp_path: Path, work: str) -> None:
    told = tmp_path / "told"
    with _start(f"told.write_text(str(os.getpid()))\n{work}", told) as process:
        pid = _await(told)
        assert process.wait(30) != 0
        assert _is_gone(pid)
        assert "stands still" in process.communicate()[1]


def test_it_dies_with_who_watches(tmp_path: Path) -> None:
    with _start(_GOES_ON, tmp_path / "told") as process:
        pid = _await(tmp_path / "told")
        process.kill()
        assert _is_gone(pid)


def test_a_signal_is_passed_on(tmp_path: Path) -> None:
    with _start(_GOES_ON, tmp_path / "told") as process:
        pid = _await(tmp_path / "told")
        process.terminate()
        assert process.wait(30) == -signal.SIGTERM % 256
        assert _is_gone(pid)


def test_who_was_stopped_itself_kills_nobody(tmp_path: Path) -> None:
    """A container that is paused: when it goes on, nobody has been heard of for long."""
    with _start(_GOES_ON, tmp_path / "told") as process:
        pid = _await(tmp_path / "told")
        for each in (process.pid, pid):
            os.kill(each, signal.SIGSTOP)
        time.sleep(2)  # twice the patience
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(0.3)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.5)
        assert process.poll() is None
        process.kill()
