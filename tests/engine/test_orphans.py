from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_django import Settings

from ffapi_site.lib import trees
from media_jobs.host import scratch
from media_jobs.maintenance import orphans
from media_jobs.models import Job
from tests.factories import JobFactory
from tests.harness.programs import FFMPEG_PATH

pytestmark = pytest.mark.django_db

ENDLESS = (
    *(FFMPEG_PATH, "-hide_banner", "-nostdin", "-loglevel", "error"),
    *("-re", "-f", "lavfi", "-i", "testsrc2=s=64x64:r=1", "-f", "null", "-"),
)


@contextmanager
def ffmpeg_in(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(parents=True)
    process = subprocess.Popen(ENDLESS, cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def live(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    job = JobFactory.create(running=True)
    with ffmpeg_in(settings.SCRATCH_DIR / scratch.of_attempt(job)) as process:
        yield process
        assert process.poll() is None


def test_it_works(live: subprocess.Popen[bytes], settings: Settings) -> None:
    """R19: a stray FFmpeg in a job's folder is killed, the live one beside it goes on."""
    with ffmpeg_in(settings.SCRATCH_DIR / "job_gone.1") as stray:
        assert orphans.end() == 1
        assert stray.wait(5) == -9


def test_an_earlier_attempt_s_is_a_stray(settings: Settings) -> None:
    job = JobFactory.create(running=True, attempt=2)
    with ffmpeg_in(settings.SCRATCH_DIR / f"{job.id}.1") as stray:
        assert orphans.end() == 1
        assert stray.wait(5) == -9


def test_it_is_found_when_its_folder_is_gone(settings: Settings) -> None:
    folder = settings.SCRATCH_DIR / "job_gone.1"
    with ffmpeg_in(folder) as stray:
        shutil.rmtree(folder)
        assert orphans.end() == 1
        assert stray.wait(5) == -9


def test_others_ffmpegs_are_left_alone(tmp_path: Path) -> None:
    """Another installation's folder has the same names."""
    with ffmpeg_in(tmp_path / "job_gone.1") as other:
        assert orphans.end() == 0
        assert other.poll() is None


def test_a_job_s_whole_run_is_left_alone(
    transcode: Callable[..., Job], work: Callable[[Job], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def also_hunt(*_: object) -> None:
        looks.append(orphans.end())

    monkeypatch.setattr("media_jobs.worker.progress.Meter.working", also_hunt)
    assert work(transcode()).status == "completed"
    assert len(looks) > 1
    assert set(looks) == {0}


def test_a_hundred_stale_folders_go(settings: Settings) -> None:
    for number in range(100):
        (settings.SCRATCH_DIR / f"job_gone{number}.1" / "out").mkdir(parents=True)
    assert scratch.sweep() == 100


def test_a_sweep_has_an_end_and_the_next_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Other chores wait meanwhile, and a guard whose chore never ends is replaced."""
    for number in range(3):
        (settings.SCRATCH_DIR / f"job_large{number}.1" / "out" / "in").mkdir(parents=True)
    with monkeypatch.context() as hurried:
        hurried.setattr(scratch, "_SWEPT_WITHIN_S", -1)
        assert scratch.sweep() == 0
    assert scratch.sweep() == 3
    assert "failed" not in caplog.text


def test_what_another_has_removed_is_no_trouble(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every slot of a host sweeps: the folder is gone for all of them."""
    stale = settings.SCRATCH_DIR / "job_stuck.1"
    stale.mkdir()
    with monkeypatch.context() as broken:
        broken.setattr(trees, "remove", lambda *_, **__: "OSError: immutable")
        scratch.sweep()
    assert scratch.troubles() == {"stale scratch": "1 can't be removed"}
    stale.rmdir()
    assert scratch.troubles() == {}


def test_a_passing_folder_goes_when_its_process_is_dead(settings: Settings) -> None:
    long_ago = time.time() - 60
    abandoned = settings.SCRATCH_DIR / "probe.abandoned"
    with scratch.passing("probe") as held:
        abandoned.mkdir()
        for path in (held, abandoned):
            os.utime(path, (long_ago, long_ago))
        assert scratch.sweep_passing() == 1
        assert held.exists()
        assert not abandoned.exists()


def test_a_folder_that_was_just_made_is_left_alone(settings: Settings) -> None:
    made = settings.SCRATCH_DIR / "probe.fresh"
    made.mkdir(parents=True)
    assert scratch.sweep_passing() == 0
    made.rmdir()
