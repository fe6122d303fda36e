"""R27: the launcher that stays: whatever happens to it, the next process starts."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from media_jobs import sandbox
from media_jobs.host import scratch
from media_jobs.sandbox import fork_server, spawn
from media_jobs.sandbox import launcher as launcher_module
from tests.harness.processes import exit_status, forked, is_dead, stop
from tests.harness.programs import FFMPEG_PATH, FFPROBE_PATH
from tests.harness.server import eventually

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
    return sandbox.run(FFPROBE_PATH, ["-version"], folder=folder, limits=LIMITS)


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


def test_what_nobody_can_watch_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would run without bounds: there was no thread left."""
    _version(folder)

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    before = {child.pid for child in psutil.Process().children()}
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError):
        sandbox.start(FFMPEG_PATH, ENDLESS, folder=folder, limits=LIMITS)
    assert {child.pid for child in psutil.Process().children()} == before


def test_what_it_forks_is_our_own_child(folder: Path) -> None:
    process = sandbox.start(FFMPEG_PATH, ENDLESS, folder=folder, limits=LIMITS)
    with process.stdout, process.stderr:
        assert psutil.Process(process.pid).ppid() == os.getpid()
        assert os.getsid(process.pid) == process.pid
        process.kill()
        assert process.wait().returncode == -9


def test_a_killed_one_is_replaced_and_takes_nothing_with_it(folder: Path) -> None:
    process = sandbox.start(FFMPEG_PATH, ENDLESS, folder=folder, limits=LIMITS)
    with process.stdout, process.stderr:
        launcher = _launcher()
        launcher.kill()
        assert eventually(lambda: is_dead(launcher), within_s=5)
        assert _version(folder).returncode == 0
        assert not is_dead(psutil.Process(process.pid))
        process.kill()
        process.wait()


def test_threads_that_end_take_nothing_with_them(folder: Path) -> None:
    """The kernel ends a child with the thread that forked it: here that is another one."""
    started: list[sandbox.Process] = []

    def start() -> None:
        started.append(sandbox.start(FFMPEG_PATH, ENDLESS, folder=folder, limits=LIMITS))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    [process] = started
    with process.stdout, process.stderr:
        assert _version(folder).returncode == 0
        assert not is_dead(psutil.Process(process.pid))
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
    done = sandbox.run(
        FFMPEG_PATH, [*source, *args, "-f", "null", "-"], folder=folder, limits=LIMITS
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_server, "_ANSWER_S", 0.5)


@pytest.mark.usefixtures("impatient")
def test_a_stopped_one_is_replaced(folder: Path) -> None:
    """What it is asked meanwhile another one does; to wake up it does not get."""
    _version(folder)
    stopped = _launcher()
    stop(stopped)
    assert _version(folder).returncode == 0
    assert eventually(lambda: is_dead(stopped), within_s=5)
    assert _launcher() != stopped


class _LateServer(fork_server.ForkServer):
    """It has forked when it is stopped: its answer comes after the worker's patience."""

    def __init__(self) -> None:
        launcher = Path(launcher_module.__file__).read_text()
        late = launcher.replace("asked.send(", "import time; time.sleep(2); asked.send(", 1)
        assert late != launcher
        self.script = Path(tempfile.mkdtemp()) / "launcher.py"
        self.script.write_text(late)
        super().__init__(self.script, spawn.ENVIRONMENT)


@pytest.mark.usefixtures("impatient")
def test_what_was_forked_for_a_late_answer_ends(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(psutil.Process().children(recursive=True))
    monkeypatch.setattr(spawn, "_forks", late := _LateServer())
    with pytest.raises(sandbox.SandboxUnavailable):
        _version(folder)
    late.close()
    eventually(lambda: set(psutil.Process().children(recursive=True)) <= before, within_s=5)
    assert set(psutil.Process().children(recursive=True)) <= before


def test_an_answer_to_another_request_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a time-out, whatever brought it about: the number is that of another process."""
    process = sandbox.start(FFMPEG_PATH, ENDLESS, folder=folder, limits=LIMITS)
    with process.stdout, process.stderr:
        forks = spawn._forks
        assert forks._control is not None
        waits, go = os.pipe()
        nobody = os.open(os.devnull, os.O_RDONLY)
        socket.send_fds(forks._control, [b"another!"], [nobody, nobody, nobody, nobody, waits])
        for descriptor in (waits, go, nobody):
            os.close(descriptor)
        done = _version(folder)
        assert (done.returncode, done.stdout[:7]) == (0, b"ffprobe")
        assert not is_dead(psutil.Process(process.pid))
        process.kill()
        process.wait()


def test_one_that_stops_before_it_is_confined_is_given_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spawn, "_TELL_S", 0.0)
    with pytest.raises(sandbox.SandboxUnavailable, match="not confined within"):
        _version(folder)


def test_it_does_not_outlive_us() -> None:
    """Its socket's other end closes with the worker, however that ends."""
    reading, writing = os.pipe()

    def work() -> None:
        with scratch.passing("forked") as folder:
            _version(folder)
        os.write(writing, str(_launcher().pid).encode())
        os.kill(os.getpid(), signal.SIGKILL)

    assert exit_status(forked(work)) == -signal.SIGKILL
    launcher = int(os.read(reading, 20))
    assert eventually(lambda: not _is_there(launcher), within_s=5)


def _is_there(pid: int) -> bool:
    try:
        return not is_dead(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False
