"""R33: all who write to a disk stop before its reserve, together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import pytest
from pytest_django import Settings

from ffapi_site.lib import room
from ffapi_site.lib.room import NoRoom, room_on
from tests.harness.disks import free_mb, small_disk

MIB = 1 << 20
SIZE_MB, RESERVE_MB = 32, 8


@pytest.fixture
def disk(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    settings.DATA_DIR = tmp_path
    settings.MIN_FREE_SPACE_MB = RESERVE_MB
    with small_disk(tmp_path / "disk", SIZE_MB * MIB) as place:
        yield place


def fill(path: Path, *, announced_bytes: int = 0) -> None:
    """Write until there is no room."""
    with room_on(path.parent) as kept, kept.create(path, announced_bytes=announced_bytes) as made:
        while True:
            made.write(bytes(256 * 1024))


def test_it_works(disk: Path) -> None:
    with room_on(disk) as kept, kept.create(disk / "a") as made:
        made.write(b"x" * 3 * MIB)
    assert (disk / "a").stat().st_size == 3 * MIB


def test_the_reserve_stays_free(disk: Path) -> None:
    with pytest.raises(NoRoom):
        fill(disk / "a")
    assert RESERVE_MB <= free_mb(disk) <= RESERVE_MB + 2


def test_what_says_nothing_of_its_length_is_bounded_as_what_does(disk: Path) -> None:
    """All begin while the disk is empty, so a look at the start would let every one of them in."""
    with ThreadPoolExecutor(8) as threads:
        writing = [threads.submit(fill, disk / str(number)) for number in range(8)]
    assert all(isinstance(each.exception(), NoRoom) for each in writing)
    assert RESERVE_MB <= free_mb(disk) <= RESERVE_MB + 9


def test_what_is_announced_is_kept_for_who_announced_it(disk: Path) -> None:
    with room_on(disk) as first, room_on(disk) as second:
        first.keep(20 * MIB)
        with pytest.raises(NoRoom):
            second.keep(5 * MIB)
        second.keep(3 * MIB)
        with pytest.raises(NoRoom):
            fill(disk / "third")
        first.keep(0)
        second.keep(20 * MIB)


def test_of_what_is_only_announced_a_piece_is_kept(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or those who send no byte have the disk."""
    monkeypatch.setattr(room, "AHEAD_BYTES", 2 * MIB)
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(room_on(disk)).expect(15 * MIB)
        fifth = stack.enter_context(room_on(disk))
        with pytest.raises(NoRoom):
            fifth.expect(17 * MIB)
        fifth.keep(15 * MIB)


def test_a_piece_is_kept_ahead_of_what_has_come(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "AHEAD_BYTES", 2 * MIB)
    with room_on(disk) as kept, room_on(disk) as other:
        made = kept.create(disk / "a", announced_bytes=20 * MIB)
        made.write(bytes(MIB))
        with pytest.raises(NoRoom):
            other.keep(22 * MIB)
        other.keep(20 * MIB)
        made.write(bytes(MIB))
        with pytest.raises(NoRoom), made:
            made.write(bytes(3 * MIB))
    assert free_mb(disk) >= RESERVE_MB


def test_those_who_announced_more_than_there_is_stop_above_the_reserve(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "AHEAD_BYTES", 2 * MIB)
    with ThreadPoolExecutor(8) as threads:
        writing = [
            threads.submit(fill, disk / str(number), announced_bytes=15 * MIB)
            for number in range(8)
        ]
    assert all(isinstance(each.exception(), NoRoom) for each in writing)
    assert RESERVE_MB <= free_mb(disk) <= RESERVE_MB + 17


def test_what_was_written_is_not_kept_besides(disk: Path) -> None:
    size_bytes = 20 * MIB
    with room_on(disk) as kept, kept.create(disk / "a", announced_bytes=size_bytes) as made:
        for _ in range(19):
            made.write(bytes(MIB))
        with room_on(disk) as other:
            other.keep(2 * MIB)
        made.write(bytes(MIB))


def test_what_is_written_anew_is_looked_for_anew(disk: Path) -> None:
    with room_on(disk) as kept, kept.create(disk / "a") as made:
        made.write(bytes(20 * MIB))
        made.seek(0)
        made.truncate()
        (disk / "others").write_bytes(bytes(18 * MIB))
        with pytest.raises(NoRoom):
            made.write(bytes(20 * MIB))
    assert free_mb(disk) >= RESERVE_MB


def test_what_other_programs_write_counts(disk: Path) -> None:
    (disk / "others").write_bytes(bytes(23 * MIB))
    with room_on(disk) as kept, pytest.raises(NoRoom):
        kept.keep(2 * MIB)


def test_files_without_number_are_bounded_too(tmp_path: Path, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,nr_inodes=1500", disk], check=True)
    with room_on(disk) as kept:
        kept.keep(1)
        for number in range(600):
            (disk / str(number)).touch()
        with pytest.raises(NoRoom):
            kept.keep(1)


HOLD = """
import sys, time, django
django.setup()
from pathlib import Path
from django.conf import settings
from ffapi_site.lib.room import room_on
settings.DATA_DIR, settings.MIN_FREE_SPACE_MB = Path(sys.argv[1]), int(sys.argv[3])
with room_on(Path(sys.argv[2])) as kept:
    kept.keep(20 << 20)
    print("kept", flush=True)
    time.sleep(60)
"""


def test_what_a_dead_process_kept_is_forgotten(tmp_path: Path, disk: Path) -> None:
    words = [sys.executable, "-c", HOLD, str(tmp_path), str(disk), str(RESERVE_MB)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        with room_on(disk) as kept:
            with pytest.raises(NoRoom):
                kept.keep(10 * MIB)
            other.kill()
            other.wait()
            kept.keep(10 * MIB)


def test_one_who_stands_still_with_the_ledger_does_not_stop_the_others(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_LOCK_PATIENCE_S", 0.1)
    began = time.monotonic()
    with room_on(disk) as kept, room._locked(kept._ledger):
        kept.keep(MIB)
    assert time.monotonic() - began < 5


def test_a_copy_is_looked_for_before_it_begins(tmp_path: Path, disk: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(25 * MIB))
    with (tmp_path / "large").open("rb") as content, pytest.raises(NoRoom):
        room.copy(content, disk / "copy")
    assert (disk / "copy").stat().st_size == 0


def test_a_copy_takes_no_more_room_than_its_bytes(tmp_path: Path, disk: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * int(free_mb(disk) - RESERVE_MB - 2) * MIB)
    with source.open("rb") as content:
        room.copy(content, disk / "a")
    assert (disk / "a").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("errno_", room._NO_COPY)
def test_where_the_kernel_can_not_copy_we_do(
    tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch, errno_: int
) -> None:
    def can_not(*_: object) -> int:
        raise OSError(errno_, "")

    monkeypatch.setattr(os, "copy_file_range", can_not)
    (tmp_path / "source").write_bytes(b"x" * 3 * MIB)
    with (tmp_path / "source").open("rb") as content:
        room.copy(content, disk / "a")
    assert (disk / "a").read_bytes() == b"x" * 3 * MIB


def test_what_is_no_file_is_copied_too(disk: Path) -> None:
    room.copy(BytesIO(b"x" * 3 * MIB), disk / "a")
    assert (disk / "a").stat().st_size == 3 * MIB


def test_the_ledger_is_empty_afterwards(disk: Path) -> None:
    with room_on(disk) as kept:
        kept.keep(MIB)
        ledger = kept._ledger
        assert len(list(ledger.iterdir())) == 1
    assert list(ledger.iterdir()) == []
