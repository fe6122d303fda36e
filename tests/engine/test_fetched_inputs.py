"""What a job fetches is looked at like an upload, and fetching it can be watched and ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import Tenant
from media_jobs.engine import jobs, lease
from media_jobs.host import machine
from media_jobs.models import Job, Status
from tests.harness.disks import free_mb, small_disk
from tests.harness.media import Samples
from tests.lib.hostile_server import Answer, HostileServer, Silence, answering, ok
from tests.lib.test_netguard_resume import breaking, rest
from tests.storage import clamd

pytestmark = pytest.mark.django_db

Work = Callable[[Job], Job]
Fetch = Callable[..., Job]


@pytest.fixture
def fetch(tenant: Tenant, work: Work, settings: Settings) -> Fetch:
    """Run a job whose input is what ``answer`` gives."""

    def run(answer: Answer, name: str = "film.mp4") -> Job:
        with HostileServer(answer) as server:
            settings.URL_ALLOWLIST = frozenset({server.authority})
            params = {"input": f"{server.url}/{name}", "resolution": "360p"}
            return work(jobs.submit(tenant, jobs.Submission("transcode", params)))

    return run


def failure(job: Job) -> dict[str, Any]:
    assert job.status == Status.FAILED
    assert not job.outputs.exists()
    assert isinstance(job.error, dict)
    return job.error


@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The progress of a job, as its row shows it."""
    seen: list[dict[str, Any]] = []
    beat = lease.renew

    def watched(job: Job, progress: dict[str, Any]) -> bool:
        seen.append(progress)
        return beat(job, progress)

    monkeypatch.setattr("media_jobs.worker.heartbeat._EVERY_S", 0.0)
    monkeypatch.setattr(lease, "renew", watched)
    return seen


def test_it_works(fetch: Fetch, media: Samples, beats: list[dict[str, Any]]) -> None:
    film = media.path("film").read_bytes()
    job = fetch(answering(ok(film, "Content-Type: video/mp4")))
    assert job.status == Status.COMPLETED, job.error
    fetching = [each["percent"] for each in beats if each["stage"] == "fetching"]
    assert fetching == sorted(fetching)
    assert 0 < fetching[0] < 5 or len(film) < 65536
    assert fetching[-1] == 5.0


def test_a_download_that_breaks_off_goes_on(fetch: Fetch, media: Samples) -> None:
    film = media.path("film").read_bytes()
    tag = 'ETag: "v1"'
    again = breaking(ok(film, tag), lambda request: rest(request, tag, body=film), after=50_000)
    job = fetch(again)
    assert job.status == Status.COMPLETED, job.error
    assert job.usage["input_bytes"] == len(film)


def test_a_job_lives_while_its_server_is_silent(
    fetch: Fetch, media: Samples, beats: list[dict[str, Any]]
) -> None:
    """Its lease is renewed; another slot must not take the job for lost."""

    def late(_: bytes) -> Iterator[bytes]:
        time.sleep(3)
        yield ok(media.path("film").read_bytes())

    assert fetch(late).status == Status.COMPLETED
    silent = [each for each in beats if each == {"percent": 0.0, "stage": "fetching"}]
    assert len(silent) >= 4


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nx"])
def test_a_job_is_canceled_while_its_server_is_silent(
    fetch: Fetch, monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    started = time.monotonic()
    monkeypatch.setattr(lease, "renew", lambda *_: time.monotonic() - started > 0.5)

    def silent(_: bytes) -> Iterator[bytes | Silence]:
        yield beginning
        yield Silence(4)

    job = fetch(silent)
    assert job.status == Status.CANCELED
    assert job.finished_at is not None
    assert job.started_at is not None
    assert (job.finished_at - job.started_at).total_seconds() < 4


@pytest.mark.parametrize(
    ("limit", "value", "code"),
    [
        ("MAX_PIXELS", 1000, "too_many_pixels"),
        ("MAX_FRAMES", 10, "too_many_frames"),
        ("MAX_DURATION_SECONDS", 2, "too_long"),
        ("MAX_STREAMS", 1, "too_many_streams"),
    ],
)
def test_what_is_too_much_says_what_was_found(
    *, fetch: Fetch, media: Samples, settings: Settings, limit: str, value: int, code: str
) -> None:
    setattr(settings, limit, value)
    error = failure(fetch(answering(ok(media.path("film").read_bytes()))))
    assert error["code"] == code
    assert error["detail"].startswith("input: ")
    assert f"at most {value}" in error["detail"]
    assert error["retryable"] is False


@pytest.mark.parametrize(
    ("name", "content", "headers", "code"),
    [
        ("a.mp4", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", (), "playlist_refused"),
        ("a.m3u8", b"\0\1\2", (), "playlist_refused"),
        ("a.mp4", b"\0\1\2", ("Content-Type: application/dash+xml",), "playlist_refused"),
        ("a.exe", b"\0\1\2", (), "extension_blocked"),
        ("a.mp4", b"x", ('Content-Disposition: attachment; filename="b.sh"',), "extension_blocked"),
        ("a.mp4", b"PK\x03\x04", (), "file_type_refused"),
        ("a.srt", b"1\n00:00:00,000 --> 00:00:01,000\nx\n", (), "not_a_medium"),
        ("a.mp4", b"", (), "empty_file"),
    ],
)
def test_what_is_no_upload_is_no_input(
    *, fetch: Fetch, name: str, content: bytes, headers: tuple[str, ...], code: str
) -> None:
    assert failure(fetch(answering(ok(content, *headers)), name))["code"] == code


def test_inputs_are_scanned(fetch: Fetch, settings: Settings, media: Samples) -> None:
    film = media.path("film").read_bytes()
    settings.ENABLE_VIRUS_SCANNING = True
    with clamd.running() as (place, _):
        settings.CLAMAV_SOCKET = place
        assert fetch(answering(ok(film))).status == Status.COMPLETED
        error = failure(fetch(answering(ok(film + clamd.TEST_FILE))))
    assert error["code"] == "virus_found"
    assert clamd.NAME in error["detail"]


def test_without_a_scanner_a_job_is_tried_again(
    fetch: Fetch, settings: Settings, media: Samples
) -> None:
    settings.ENABLE_VIRUS_SCANNING = True
    settings.CLAMAV_SOCKET = "/nowhere/clamd"
    job = fetch(answering(ok(media.path("film").read_bytes())))
    assert (job.status, job.attempt) == (Status.QUEUED, 1)
    assert job.error is None


def test_a_disk_that_is_full_while_it_comes(
    fetch: Fetch, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The far end says nothing of its length; the job is tried again, and the reserve stays."""
    monkeypatch.setattr(machine, "scratch_mb", lambda: 10_000)  # so it was when the job was claimed
    settings.MIN_FREE_SPACE_MB = 8
    with small_disk(tmp_path / "small", 32 << 20) as disk:
        settings.SCRATCH_DIR = disk
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        job = fetch(answering(head + bytes(40 << 20)))
        assert free_mb(disk) == 32
    assert job.status == Status.QUEUED
    assert job.events.last().reason.startswith("storage_full")  # type: ignore[union-attr]
