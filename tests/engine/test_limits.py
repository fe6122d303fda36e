"""R17, R15: each limit of a job is met by a job that really goes beyond it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from django.test import override_settings
from pytest_django import Settings

from accounts.models import Tenant
from media_jobs import sandbox
from media_jobs.engine import jobs
from media_jobs.host import machine, scratch
from media_jobs.models import Job, Status
from storage.models import File
from tests.harness.programs import FFMPEG_PATH

pytestmark = pytest.mark.django_db


@pytest.fixture
def heavy(tenant: Tenant, stored: Callable[[str], File]) -> Job:
    """An encode of some seconds of CPU time and hundreds of megabytes."""
    params = {
        "input": stored("film").id,
        "resolution": "1440p",
        "preset": "quality",
        "when_conformant": "encode",
    }
    return jobs.submit(tenant, jobs.Submission("transcode", params))


def error_of(job: Job) -> Any:
    assert (job.status, job.attempt) == (Status.FAILED, 1), job.error
    assert job.error is not None
    assert not job.outputs.exists()
    return job.error


@pytest.mark.parametrize(
    ("limit", "code", "word"),
    [
        ({"FFMPEG_MEMORY_MB": 300}, "resource_limit", "memory"),
        ({"FFMPEG_CPU_SECONDS": 1}, "resource_limit", "CPU"),
        ({"FFMPEG_TIMEOUT_SECONDS": 1}, "deadline_exceeded", "longer"),
        ({"MAX_FILE_SIZE_BYTES": 50_000}, "output_too_large", "larger"),
    ],
    ids=str,
)
def test_it_works(
    heavy: Job, work: Callable[[Job], Job], limit: dict[str, int], code: str, word: str
) -> None:
    with override_settings(**limit):
        error = error_of(work(heavy))
    assert (error["code"], error["retryable"]) == (code, False)
    assert word in error["title"]


def test_what_users_write_has_less_time(
    tenant: Tenant, stored: Callable[[str], File], work: Callable[[Job], Job], settings: Settings
) -> None:
    settings.FFMPEG_COMMAND_TIMEOUT_SECONDS = 1
    params = {
        "input_files": {"film": stored("film").id},
        "output_files": {"out": "out.mp4"},
        "ffmpeg_command": ["-i", "{{film}}", "-vf", "geq=lum='while(1,1)'", "{{out}}"],
    }
    job = work(jobs.submit(tenant, jobs.Submission("ffmpeg", params)))
    assert error_of(job)["code"] == "deadline_exceeded"


def test_the_worker_and_its_next_job_are_unharmed(
    heavy: Job, transcode: Callable[..., Job], work: Callable[[Job], Job], settings: Settings
) -> None:
    settings.FFMPEG_MEMORY_MB = 300
    error_of(work(heavy))
    settings.FFMPEG_MEMORY_MB = 4096
    assert work(transcode()).status == Status.COMPLETED


def test_ffmpeg_runs_where_its_slot_says() -> None:
    one = frozenset([min(os.sched_getaffinity(0))])
    args = ("-hide_banner", "-nostdin", "-f", "lavfi", "-i", "testsrc2", "-f", "null", "-")
    limits = sandbox.Limits(wall_s=20, cpus=one)
    with scratch.passing("ask") as folder:
        process = sandbox.start(FFMPEG_PATH, args, folder=folder, limits=limits)
        with process.stdout, process.stderr:
            assert psutil.Process(process.pid).cpu_affinity() == list(one)
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    ("slot", "changes", "cpus"),
    [
        ("host-cpu-1", {"LANES": {"cpu": 4}}, {0, 1}),
        ("host-cpu-3", {"LANES": {"cpu": 4}}, {4, 5}),
        ("host-cpu-5", {"LANES": {"cpu": 16}}, {0, 1}),  # two at least: they wrap around
        ("host-cpu-2", {"LANES": {"cpu": 2, "gpu": 1}}, {3, 4, 5}),
        ("host-cpu-1", {"FFMPEG_THREADS": 1}, {0}),
        ("host-cpu-1", {"LANES": {"cpu": 1}}, set()),  # everywhere
        ("host-cpu-1", {"FFMPEG_THREADS": 64}, set()),
    ],
    ids=str,
)
def test_the_cpus_are_shared_out(
    monkeypatch: pytest.MonkeyPatch, slot: str, changes: dict[str, Any], cpus: set[int]
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setenv("FFAPI_SLOT", slot)
    with override_settings(**changes):
        assert machine.cpus_of_slot() == cpus
