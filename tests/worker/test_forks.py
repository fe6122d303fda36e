"""The launcher that stays: whatever happens to it, the next process starts."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from media_jobs.worker import sandbox, scratch
from tests.serving.server import eventually

LIMITS = sandbox.Limits(wall_s=20)
ENDLESS = ["-v", "error", "-f", "lavfi", "-i", "nullsrc", "-f", "null", "-"]


@pytest.fixture(autouse=True)
def _without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which starts a launcher each time."""
    monkeypatch.setenv("FFAPI_SANDBOX_NAMESPACES", "off")


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch.passing("forks") as prepared:
        yield prepared


def _version(folder: Path) -> sandbox.Finished:
    return sandbox.run("ffprobe", ["-version"], folder=folder, limits=LIMITS)


def _launcher() -> psutil.Process:
    [found] = [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "launcher.py" in " ".join(child.cmdline())
    ]
    return found


def test_it_works(folder: Path) -> None:
    first, launcher = _version(folder), _launcher()
    assert (first.returncode, _version(folder).returncode) == (0, 0)
    assert first.stdout.startswith(b"ffprobe version")
    assert _launcher() == launcher


def test_what_it_forks_is_our_own_child(folder: Path) -> None:
    process = sandbox.start("ffmpeg", ENDLESS, folder=folder, limits=LIMITS)
    with process.stdout, process.stderr:
        assert psutil.Process(process.pid).ppid() == os.getpid()
        assert os.getsid(process.pid) == process.pid
        process.kill()
        assert process.wait().returncode == -9


def test_a_killed_one_is_replaced_and_takes_nothing_with_it(folder: Path) -> None:
    process = sandbox.start("ffmpeg", ENDLESS, folder=folder, limits=LIMITS)
    with process.stdout, process.stderr:
        launcher = _launcher()
        launcher.kill()
        assert eventually(lambda: not _is_alive(launcher), within_s=5)
        assert _version(folder).returncode == 0
        assert _is_alive(psutil.Process(process.pid))
        process.kill()
        process.wait()


def _is_alive(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


def test_threads_that_end_take_nothing_with_them(folder: Path) -> None:
    """The kernel ends a child with the thread that forked it: here that is another one."""
    started: list[sandbox.Process] = []

    def start() -> None:
        started.append(sandbox.start("ffmpeg", ENDLESS, folder=folder, limits=LIMITS))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    [process] = started
    with process.stdout, process.stderr:
        assert _version(folder).returncode == 0
        assert _is_alive(psutil.Process(process.pid))
        process.kill()
        process.wait()


def test_many_at_once(folder: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda _: _version(folder), range(24)))
    assert {each.returncode for each in done} == {0}
    assert {each.stdout[:15] for each in done} == {b"ffprobe version"}


def test_a_command_longer_than_a_message(folder: Path) -> None:
    """A socket's message has at most some hundred kilobytes."""
    args = ["-v", "error", "-metadata", f"title={'x' * 100_000}"] * 5
    source = ["-f", "lavfi", "-i", "nullsrc=d=0.1"]
    done = sandbox.run("ffmpeg", [*source, *args, "-f", "null", "-"], folder=folder, limits=LIMITS)
    assert done.returncode == 0, done.stderr


def test_it_does_not_outlive_us() -> None:
    """Its socket's other end closes with the worker, however that ends."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        with scratch.passing("forked") as folder:
            _version(folder)
        os.write(writing, str(_launcher().pid).encode())
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    launcher = int(os.read(reading, 20))
    assert eventually(lambda: not _is_there(launcher), within_s=5)


def _is_there(pid: int) -> bool:
    try:
        return _is_alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False
