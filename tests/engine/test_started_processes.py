"""What a worker really starts, as Python itself tells of it (``sys.addaudithook``)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from media_jobs.host import capabilities, fonts, toolchain
from media_jobs.models import Job, Status
from media_jobs.sandbox import fork_server, launcher, spawn
from tests.harness.media import Samples
from tests.harness.programs import FFMPEG_PATH, FFPROBE_PATH

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


class Forks(fork_server.ForkServer):
    def __init__(self) -> None:
        super().__init__(Path(LAUNCHER), spawn.ENVIRONMENT)
        self.asked: list[str] = []

    def fork(self, words: Sequence[str], stdout: int, stderr: int, status: int) -> int:
        self.asked.append(Path(words[words.index("--") + 1]).name)
        return super().fork(words, stdout, stderr, status)


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forks]:
    """A launcher of its own, so that its start is heard too."""
    monkeypatch.setenv("FFAPI_SANDBOX_NAMESPACES", "off")
    monkeypatch.setattr(spawn, "_forks", own := Forks())
    yield own
    own.close()


def test_it_works(
    recorder: Recorder,
    forks: Forks,
    transcode: Callable[..., Job],
    work: Callable[[Job], Job],
    media: Samples,
) -> None:
    media.path("brief_film")  # is made by then, which takes an FFmpeg of the test's own
    recorder.is_on = True
    job = transcode()
    assert work(job).status == Status.COMPLETED
    fonts._found.cache_clear()
    toolchain._asked.cache_clear()
    toolchain._refused.cache_clear()
    assert capabilities.capabilities().fonts
    recorder.is_on = False

    [(event, (_, argv, _, environment))] = recorder.told
    assert event == "subprocess.Popen"
    assert argv[1:4] == ["-I", "-S", LAUNCHER]
    assert argv[4].startswith("serve=")
    assert set(environment) == {
        *("PATH", "LANG", "HOME", "TMPDIR", "XDG_CACHE_HOME"),
        "AV_LOG_FORCE_COLOR",  # FFmpeg marks its own words by it
    }
    assert set(forks.asked) == {Path(FFMPEG_PATH).name, Path(FFPROBE_PATH).name, "fc-list"}
