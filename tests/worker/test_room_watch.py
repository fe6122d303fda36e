"""R33: what FFmpeg writes is bounded as a whole, while it writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from ffapi_site.lib.room import room_on
from media_jobs import sandbox
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.failures import Failure
from media_jobs.worker import room_watch
from media_jobs.worker.executor import CommandLimits, Executor, Failed
from media_jobs.worker.room_watch import RoomWatch
from tests.harness.disks import free_mb, small_disk

MIB = 1 << 20
RESERVE_MB = 192
_RAW = ("-map", "0:v", "-c:v", "rawvideo", "-f", "rawvideo")


def writing(*outputs: str, seconds: int) -> Command:
    """Each output has 22 MiB for a second, which is written in a quarter of one.

    Written as quickly as memory is, they would outrun a look that comes a fifth of a second late.
    """
    source = ("-y", "-readrate", "4", "-f", "lavfi", "-i", f"color=s=640x360:r=67:d={seconds}")
    each = [word for output in outputs for word in (*_RAW, output)]
    return Command((*source, *each))


@pytest.fixture
def disk(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    settings.MIN_FREE_SPACE_MB = RESERVE_MB
    with small_disk(tmp_path / "small", 448 * MIB) as disk:
        sandbox.prepare(disk)
        yield disk


def run(folder: Path, command: Command) -> None:
    Executor(folder, CommandLimits.installed()).execute(command)


def failure(folder: Path, command: Command) -> Failure:
    with pytest.raises(Failed) as failed:
        run(folder, command)
    return failed.value.failure


def written_mb(folder: Path) -> float:
    return sum(each.stat().st_size for each in (folder / "out").iterdir()) / MIB


@pytest.mark.usefixtures("namespaces")
def test_what_fits_is_let_be(disk: Path) -> None:
    run(disk, writing("out/1.raw", "out/2.raw", seconds=1))
    assert 40 < written_mb(disk) < 48


@pytest.mark.usefixtures("namespaces")
def test_files_that_are_small_enough_each_are_too_large_together(
    disk: Path, settings: Settings
) -> None:
    settings.MAX_JOB_OUTPUT_MB = 30
    outputs = [f"out/{number}.raw" for number in range(8)]
    found = failure(disk, writing(*outputs, seconds=1))
    assert (found.code, found.retryable) == ("output_too_large", False)
    assert "30 MiB" in found.detail


@pytest.mark.usefixtures("namespaces")
def test_it_ends_at_the_reserve_of_the_disk(disk: Path) -> None:
    """A busy machine looks late, and by as much of the reserve FFmpeg is ahead; never by all."""
    found = failure(disk, writing("out/1.raw", "out/2.raw", seconds=60))
    assert (found.code, found.retryable) == ("storage_full", True)
    assert free_mb(disk) > 0


@pytest.mark.usefixtures("namespaces")
def test_what_others_keep_is_not_written_to(disk: Path) -> None:
    with room_on(disk) as upload:
        upload.keep(200 * MIB)
        assert failure(disk, writing("out/1.raw", seconds=1)).code == "storage_full"


def made_by_hand(folder: Path) -> Failure | None:
    """What a process that was taken over could leave."""
    with room_on(folder) as room:
        watch = RoomWatch(folder, room)
        watch.is_over()
        return watch.failure


def test_files_without_number_are_too_many(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_watch, "MOST_ENTRIES", 20)
    for number in range(20):
        (disk / "tmp" / str(number)).touch()
    assert made_by_hand(disk) is None
    (disk / "out" / "one more").touch()
    found = made_by_hand(disk)
    assert found
    assert (found.code, "20 files" in found.detail) == ("output_too_large", True)


def test_folders_deeper_than_a_path_leads_are_found(disk: Path) -> None:
    folder = os.open(disk / "tmp", os.O_RDONLY)
    for _ in range(30):
        os.mkdir("a" * 200, dir_fd=folder)
        below = os.open("a" * 200, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    found = made_by_hand(disk)
    assert found
    assert found.code == "output_too_large"


def test_a_link_counts_for_itself_alone(disk: Path, tmp_path: Path, settings: Settings) -> None:
    settings.MAX_JOB_OUTPUT_MB = 1
    (tmp_path / "large").write_bytes(bytes(2 * MIB))
    (disk / "out" / "link").symlink_to(tmp_path / "large")
    assert made_by_hand(disk) is None


def test_holes_take_no_room(disk: Path, settings: Settings) -> None:
    settings.MAX_JOB_OUTPUT_MB = 1
    with (disk / "out" / "sparse").open("wb") as sparse:
        sparse.truncate(10 * MIB)
    assert made_by_hand(disk) is None
