"""What may pass is tried again, what can't pass is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from media_jobs.engine import jobs
from media_jobs.ffmpeg import failures
from media_jobs.models import Job, Status
from media_jobs.worker.settlement import retry_delay_s
from tests.harness.media import Samples
from tests.lib.hostile_server import HostileServer, ok

pytestmark = pytest.mark.django_db

Fetch = Callable[..., Job]


@pytest.fixture
def fetch(tenant: Tenant, work: Callable[[Job], Job], settings: Settings) -> Fetch:
    """Run the first attempt of a job whose input's server gives each answer in turn."""
    settings.JOB_RETRY_DELAY = 10.0

    def run(first: bytes, *later: bytes) -> Job:
        answers = iter((first, *later))
        with HostileServer(lambda _: [next(answers)]) as server:
            settings.URL_ALLOWLIST = frozenset({server.authority})
            params = {"input": f"{server.url}/film.mp4", "resolution": "360p"}
            job = jobs.submit(tenant, jobs.Submission("transcode", params))
            job = work(job)
            for _ in later:
                Job.objects.filter(pk=job.pk).update(run_at=timezone.now())
                job = work(job)
            return job

    return run


def answer(status: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Length: 0", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_it_works(fetch: Fetch, media: Samples) -> None:
    film = ok(media.path("film").read_bytes(), "Content-Type: video/mp4")
    job = fetch(answer("503 Away"), film)
    assert (job.status, job.attempt) == (Status.COMPLETED, 2), job.error


@pytest.mark.parametrize("status", ["429 Slow Down", "502 Bad", "500 No", "504 Late", "408 Late"])
def test_a_server_that_is_overloaded_is_asked_again(fetch: Fetch, status: str) -> None:
    assert fetch(answer(status)).status == Status.QUEUED


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "401 Who", "410 Gone"])
def test_a_server_that_has_no_such_file_is_not(fetch: Fetch, status: str) -> None:
    job = fetch(answer(status))
    assert (job.status, job.attempt) == (Status.FAILED, 1)
    assert job.error is not None
    assert (job.error["code"], job.error["retryable"]) == ("bad_status", False)


def test_a_connection_that_is_cut_is_tried_again(fetch: Fetch) -> None:
    assert fetch(ok(b"x" * 1000)[:500]).status == Status.QUEUED


@pytest.mark.parametrize(
    ("asked", "least_s", "most_s"),
    [("600", 590, 610), ("1", 7, 13), ("31536000", 3500, 3610), ("soon", 7, 13)],
)
def test_the_wait_that_it_asks_for_is_kept_up_to_an_hour(
    fetch: Fetch, asked: str, least_s: float, most_s: float
) -> None:
    job = fetch(answer("503 Away", f"Retry-After: {asked}"))
    assert job.status == Status.QUEUED
    wait_s = (job.run_at - timezone.now()).total_seconds()
    assert least_s <= wait_s <= most_s


def test_a_retry_waits_longer_each_time(settings: Settings) -> None:
    settings.JOB_RETRY_DELAY = 10
    delays = [retry_delay_s(Job(attempt=attempt), failures.STALLED) for attempt in (1, 2, 3)]
    assert 8 <= delays[0] <= 12
    assert 16 <= delays[1] <= 24
    assert 32 <= delays[2] <= 48


def test_jobs_that_failed_together_part(settings: Settings) -> None:
    settings.JOB_RETRY_DELAY = 10
    assert len({retry_delay_s(Job(attempt=1), failures.STALLED) for _ in range(50)}) > 40
