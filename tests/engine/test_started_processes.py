"""What a worker really starts, as Python itself tells of it (``sys.addaudithook``)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from media_jobs.models import Job, Status
from media_jobs.worker import capabilities, launcher

pytestmark = pytest.mark.django_db

STARTS = (
    *("subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"),
    *("os.system", "pty.spawn", "os.startfile"),
)
LAUNCHER = str(Path(launcher.__file__))


class Recorder:
    """A hook stays for the life of a process; this one only listens while it is told to."""

    def __init__(self) -> None:
        self.is_on = False
        self.told: list[tuple[str, tuple[Any, ...]]] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.is_on and event in STARTS:
            self.told.append((event, arguments))


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder()


def test_it_works(
    recorder: Recorder, transcode: Callable[..., Job], work: Callable[[Job], Job]
) -> None:
    job = transcode()
    recorder.is_on = True
    assert work(job).status == Status.COMPLETED
    capabilities.capabilities.cache_clear()
    assert capabilities.capabilities().fonts
    recorder.is_on = False

    programs = set()
    for event, (executable, argv, _, environment) in recorder.told:
        assert event == "subprocess.Popen"
        script = argv.index("-S") + 1  # of a Python, perhaps within bubblewrap
        assert argv[script] == LAUNCHER, executable
        programs.add(Path(argv[argv.index("--", script) + 1]).name)
        assert set(environment) == {"PATH", "LANG", "HOME", "TMPDIR", "XDG_CACHE_HOME"}
    assert programs == {"ffmpeg", "ffprobe", "fc-list"}
