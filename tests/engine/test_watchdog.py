"""R22: an FFmpeg that hangs is found and killed, a slow one is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from pytest_django import Settings

from media_jobs import sandbox
from media_jobs.host import scratch
from media_jobs.models import Job, Status
from media_jobs.worker.watchdog import Watchdog
from tests.harness.programs import FFMPEG_PATH

pytestmark = pytest.mark.django_db

PATIENCE_S = 1
_BRIEF_S = 0.3


def ffmpegs_of(job: Job) -> list[psutil.Process]:
    return [each for each in psutil.Process().children(recursive=True) if _works_on(job, each)]


def _works_on(job: Job, process: psutil.Process) -> bool:
    try:
        return process.name().startswith("ffmpeg") and f"/{job.id}." in process.cwd()
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def stopped(transcode: Callable[..., Job]) -> Iterator[Job]:
    """A job whose FFmpeg is stopped, not killed, as soon as it runs."""
    job = transcode("film")
    met: list[psutil.Process] = []
    enough = threading.Event()

    def stop() -> None:
        while not enough.wait(0.005):
            for process in ffmpegs_of(job):
                process.suspend()
                met.append(process)
                return

    hand = threading.Thread(target=stop)
    hand.start()
    yield job
    enough.set()
    hand.join()
    assert met
    assert not met[0].is_running()


def test_it_works(stopped: Job, work: Callable[[Job], Job], settings: Settings) -> None:
    """R22: a hung FFmpeg is killed, and the job tried again."""
    settings.FFMPEG_STALL_SECONDS = PATIENCE_S
    settings.JOB_RETRY_DELAY = 0
    began = time.monotonic()
    job = work(stopped)
    assert time.monotonic() - began < PATIENCE_S + 5
    assert (job.status, job.attempt) == (Status.QUEUED, 1)
    assert "stalled" in job.events.last().reason  # type: ignore[union-attr]
    again = work(job)
    assert (again.status, again.attempt) == (Status.COMPLETED, 2)


def test_the_last_attempt_says_so(
    stopped: Job, work: Callable[[Job], Job], settings: Settings
) -> None:
    settings.FFMPEG_STALL_SECONDS = PATIENCE_S
    Job.objects.filter(pk=stopped.pk).update(max_attempts=1)
    job = work(stopped)
    assert job.status == Status.FAILED
    assert job.error is not None
    assert (job.error["code"], job.error["retryable"]) == ("stalled", True)


def test_a_slow_one_is_left_alone() -> None:
    """It works for long without any progress: ``reverse`` reads all of its input first."""
    source = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=12")
    quiet = ("-hide_banner", "-nostdin", "-loglevel", "error")
    # Blurred, so that it takes long wherever it runs.
    args = (*quiet, *source, "-vf", "gblur=sigma=9,reverse", "-t", "1", "-f", "null", "-")
    with scratch.passing("ask") as folder:
        process = sandbox.start(FFMPEG_PATH, args, folder=folder, limits=sandbox.Limits(wall_s=60))
        dog, began = Watchdog(process.pid, _BRIEF_S), time.monotonic()
        with process.stdout, process.stderr:
            while not _has_ended(process):
                assert not dog.is_hung(None)
    assert time.monotonic() - began > 2 * _BRIEF_S


def _has_ended(process: sandbox.Process) -> bool:
    try:
        return process.wait(0.1).returncode == 0
    except TimeoutError:
        return False
