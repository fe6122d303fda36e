"""Of a film behind an address a probe fetches what it reads, and says what it says of the whole."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import Tenant
from ffapi_site.lib.problems import Invalid
from media_jobs.engine import jobs
from media_jobs.models import Job, Status
from media_jobs.worker import inline_run, remote_input
from tests.harness.media import FFMPEG, Samples
from tests.harness.range_server import RangeServer, serving

pytestmark = pytest.mark.django_db

MB = 1_000_000
COPY = ("-c", "copy")


@pytest.fixture
def served(tmp_path: Path, settings: Settings) -> Iterator[RangeServer]:
    with serving(tmp_path) as server:
        settings.URL_ALLOWLIST = frozenset({server.authority})
        yield server


def made(film: Path, folder: Path, name: str, *args: str, times: int = 60) -> int:
    """Make a long film by copying a short one again and again; give its size."""
    again = ("-stream_loop", str(times), "-i", str(film))
    subprocess.run([*FFMPEG, *again, *args, str(folder / name)], check=True)
    return (folder / name).stat().st_size


def probed(tenant: Tenant, url: str, **params: Any) -> dict[str, Any]:
    return inline_run.answer(tenant, "probe", {"input": url, **params}).data


def refused(tenant: Tenant, url: str) -> str:
    with pytest.raises(Invalid) as problem:
        probed(tenant, url)
    return problem.value.errors[0].code


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("index_at_end.mp4", COPY),
        ("index_first.mp4", (*COPY, "-movflags", "faststart")),
        ("a.mov", COPY),
        ("a.mkv", COPY),
        ("a.ts", COPY),
        ("a.flv", COPY),
        ("a.avi", COPY),
        ("a.wav", ("-vn",)),
        ("a.flac", ("-vn",)),
        ("a.mp3", ("-vn",)),
        ("a.ogg", ("-vn", "-c:a", "libvorbis", "-b:a", "192k")),
    ],
)
def test_it_works(
    tenant: Tenant, served: RangeServer, media: Samples, name: str, args: tuple[str, ...]
) -> None:
    size_bytes = made(media.path("film"), served.folder, name, *args)
    found = probed(tenant, served.at(name))
    sent_bytes, served.sent_bytes = served.sent_bytes, 0
    served.validator = 'W/"v1"'  # which promises too little
    assert found == probed(tenant, served.at(name))
    assert served.sent_bytes >= size_bytes
    assert sent_bytes < size_bytes / 2


@pytest.mark.nightly
def test_of_a_gigabyte_two_megabytes(tenant: Tenant, served: RangeServer, tmp_path: Path) -> None:
    noise = tmp_path / "noise.mp4"
    drawn = ("-f", "lavfi", "-i", "nullsrc=s=1280x720:d=5,geq=random(1)*255:128:128")
    subprocess.run([*FFMPEG, *drawn, "-c:v", "mpeg4", "-b:v", "10M", str(noise)], check=True)
    times = 1000 * MB // noise.stat().st_size
    assert made(noise, served.folder, "a.mp4", *COPY, times=times) >= 1000 * MB
    assert probed(tenant, served.at("a.mp4"))["media"]["video"]["width"] == 1280
    assert served.sent_bytes <= 2 * MB


def test_who_reads_all_of_it_fetches_all(
    tenant: Tenant, served: RangeServer, media: Samples
) -> None:
    size_bytes = made(media.path("film"), served.folder, "a.mkv", *COPY)
    found = probed(tenant, served.at("a.mkv"), packets=True)
    assert int(found["raw"]["streams"][0]["nb_read_packets"]) == 61 * 100
    assert (served.asked, served.sent_bytes) == ([""], size_bytes)


def test_a_scan_for_viruses_is_of_all(
    tenant: Tenant, served: RangeServer, media: Samples, settings: Settings
) -> None:
    made(media.path("film"), served.folder, "a.mkv", *COPY)
    settings.ENABLE_VIRUS_SCANNING = True
    settings.CLAMAV_HOST, settings.CLAMAV_PORT = "127.0.0.1", 1
    with pytest.raises(Exception, match="scan"):
        probed(tenant, served.at("a.mkv"))
    assert served.asked == [""]


def test_a_disk_that_does_not_tell_what_was_read_has_all_of_it(
    tenant: Tenant, served: RangeServer, media: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def unseen(_: Path) -> Iterator[Callable[[], bool]]:
        yield lambda: False

    monkeypatch.setattr(remote_input, "_seen", unseen)
    size_bytes = made(media.path("film"), served.folder, "a.mkv", *COPY)
    assert probed(tenant, served.at("a.mkv"))["raw"]["format"]["size"] == str(size_bytes)
    assert served.sent_bytes == size_bytes
    assert len(served.asked) == 2


def test_a_huge_file_has_larger_blocks(
    tenant: Tenant, served: RangeServer, media: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    size_bytes = made(media.path("film"), served.folder, "a.mp4", *COPY)
    monkeypatch.setattr(remote_input, "_MOST_BLOCKS", 50)
    monkeypatch.setattr(remote_input, "_WINDOW_BYTES", 4 << 20)
    assert probed(tenant, served.at("a.mp4"))["raw"]["format"]["size"] == str(size_bytes)
    assert served.sent_bytes < size_bytes / 2


def test_a_job_probes_so_too(
    tenant: Tenant, served: RangeServer, media: Samples, work: Callable[[Job], Job]
) -> None:
    size_bytes = made(media.path("film"), served.folder, "a.mp4", *COPY)
    submission = jobs.Submission("probe", {"input": served.at("a.mp4")})
    job = work(jobs.submit(tenant, submission))
    assert (job.status, job.error) == (Status.COMPLETED, None)
    assert job.result["raw"]["format"]["size"] == str(size_bytes)
    assert served.sent_bytes < size_bytes / 2


def test_a_file_that_changes_meanwhile_is_no_file(
    tenant: Tenant, served: RangeServer, media: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(media.path("film"), served.folder, "a.mp4", *COPY)
    touched = remote_input.RemoteInput._touched

    def changes(remote: remote_input.RemoteInput) -> set[int]:
        served.validator = '"v2"'
        return touched(remote)

    monkeypatch.setattr(remote_input.RemoteInput, "_touched", changes)
    assert refused(tenant, served.at("a.mp4")) == "content_changed"


def test_what_breaks_off_is_said_to(tenant: Tenant, served: RangeServer, media: Samples) -> None:
    """Its server says that it is whole: it is what is read that tells."""
    made(media.path("film"), served.folder, "a.mp4", *COPY)
    with (served.folder / "a.mp4").open("r+b") as file:
        file.truncate(10 * MB)  # without its index
    assert refused(tenant, served.at("a.mp4")) == "input_unreadable"
    assert served.sent_bytes < 10 * MB


def test_what_is_no_medium_is_refused_by_its_head(tenant: Tenant, served: RangeServer) -> None:
    (served.folder / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n" * 100_000)
    assert refused(tenant, served.at("a.srt")) == "not_a_medium"
    assert served.sent_bytes < 2 * MB


def test_what_is_too_large_is_refused_by_its_length(
    tenant: Tenant, served: RangeServer, media: Samples, settings: Settings
) -> None:
    settings.MAX_FILE_SIZE_BYTES = 10 * MB
    made(media.path("film"), served.folder, "a.mkv", *COPY)
    assert refused(tenant, served.at("a.mkv")) == "too_large"
    assert served.sent_bytes < MB
