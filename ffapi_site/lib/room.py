"""Room on a disk: kept by whoever is about to write there, so that all together stop in time.

The database is on the same disk by default and shuts down where it finds no room. So
``MIN_FREE_SPACE_MB`` stay free whatever tenants send, import or make: each writer keeps what it is
going to write next, in a ledger that all processes of the host share, and looks at the disk again
with every MiB. What other programs write is seen by that look, but not held back by it.
"""

from __future__ import annotations

import errno
import fcntl
import io
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings

from ffapi_site.lib import locks, shared_folders
from ffapi_site.lib.ids import new_id

logger = logging.getLogger(__name__)

STEP_BYTES = 1 << 20
AHEAD_BYTES = 16 << 20
"""The most that is kept for bytes that somebody outside has only announced."""

_SPARE_ENTRIES = 1000  # files and folders that a disk can still take
_LOCK_PATIENCE_S = 2.0
_COPY_BYTES = 1 << 20
# Of a file system that leaves copying to us, or of two that are different ones.
_NO_COPY = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF}


class NoRoom(OSError):  # noqa: N818 -- what the disk is
    """The disk has no room above the reserve; an ``OSError`` as the disk's own would be"""

    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, "there is no room on the disk above the reserve")


def is_full(error: BaseException) -> bool:
    """Whether ``error`` says that there was no room on a disk, by whichever measure."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


class Room:
    """What one writer keeps on the disk of ``folder``; made by `room_on`.

    An entry of the ledger is an empty file with holes whose length is what is kept. The writer
    holds a lock on it that ends with its process, so what a dead one kept is forgotten.
    """

    def __init__(self, folder: Path, ledger: Path, held: int) -> None:
        self._folder = folder
        self._ledger = ledger
        self._held = held

    def keep(self, size_bytes: int) -> None:
        """Keep ``size_bytes`` for what is written next, in the place of what was kept before.

        Raises `NoRoom` where the disk has not as much besides what others keep and the reserve.
        """
        with _locked(self._ledger):
            self._require(size_bytes)
            os.ftruncate(self._held, size_bytes)

    def expect(self, size_bytes: int) -> None:
        """Keep a piece of what is announced, which may never come; the rest is kept as it comes.

        Raises `NoRoom` where there is none for the whole as it is now.
        """
        with _locked(self._ledger):
            self._require(size_bytes)
            os.ftruncate(self._held, min(size_bytes, AHEAD_BYTES))

    def create(self, path: Path, *, announced_bytes: int = 0, mode: str = "xb") -> BinaryIO:
        """Open a new file whose every MiB is looked for before it is written.

        Where ``announced_bytes`` are to come there must be room for them at the first of them, and
        a piece is kept ahead of what has come. What is written raises `NoRoom`, and so does
        closing where the end found none.
        """
        raw = _Measured(path, mode, self, announced_bytes)
        made = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return cast("BinaryIO", made)

    def _require(self, size_bytes: int) -> None:
        if self._fits(size_bytes):
            return
        # What is kept for processes that have died is room again.
        with shared_folders.as_owner_of(_ledgers()):
            for entry in _entries(self._ledger):
                # Not waiting at a pipe, nor stopped by what else is no entry of ours.
                with suppress(OSError):
                    held = os.open(entry, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
                    try:
                        if locks.gets(held, within_s=0):
                            entry.unlink()
                    finally:
                        os.close(held)
        if not self._fits(size_bytes):
            raise NoRoom

    def _fits(self, size_bytes: int) -> bool:
        disk = os.statvfs(self._folder)
        if disk.f_files and disk.f_favail < _SPARE_ENTRIES:
            return False
        kept_by_others = -os.fstat(self._held).st_size  # its own entry is among them
        with shared_folders.as_owner_of(_ledgers()):
            for entry in _entries(self._ledger):
                with suppress(FileNotFoundError):  # its writer was done with it
                    kept_by_others += entry.lstat().st_size
        reserve_bytes = settings.MIN_FREE_SPACE_MB << 20
        return disk.f_bavail * disk.f_frsize - kept_by_others - reserve_bytes >= size_bytes


class _Measured(io.FileIO):
    def __init__(self, path: Path, mode: str, room: Room, announced_bytes: int) -> None:
        super().__init__(path, mode)
        self._room = room
        self._announced_bytes = announced_bytes
        self._written_bytes = 0
        self._looked_for_bytes = 0

    def write(self, data: object, /) -> int:
        size_bytes = memoryview(data).nbytes  # type: ignore[arg-type]  # it is a buffer
        # Wherever it is written: a file with holes has its end before its middle.
        if size_bytes > self._looked_for_bytes:
            self._look(size_bytes)
            self._looked_for_bytes = max(size_bytes, STEP_BYTES)
        self._looked_for_bytes -= size_bytes
        self._written_bytes += size_bytes
        return super().write(data)  # type: ignore[arg-type]

    def _look(self, size_bytes: int) -> None:
        to_come = self._announced_bytes - self._written_bytes
        if self._written_bytes == 0 and to_come > size_bytes:
            self._room.expect(to_come)
        next_bytes = min(to_come, AHEAD_BYTES)
        self._room.keep(next_bytes if next_bytes >= size_bytes else max(size_bytes, STEP_BYTES))

    def truncate(self, size: int | None = None, /) -> int:
        # What it gave back may be somebody else's by now.
        self._written_bytes = self._looked_for_bytes = 0
        return super().truncate(size)


@contextmanager
def room_on(folder: Path) -> Iterator[Room]:
    """Give a writer its place in the ledger of the disk that ``folder`` is on."""
    ledger = _ledgers() / str(folder.stat().st_dev)
    ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    entry = ledger / new_id("room")
    with shared_folders.as_owner_of(_ledgers()):
        ledger.mkdir(exist_ok=True, mode=0o700)
    with _locked(ledger), shared_folders.as_owner_of(_ledgers()):
        held = locks.opened(entry, os.O_RDWR | os.O_EXCL)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield Room(folder, ledger, held)
    finally:
        with shared_folders.as_owner_of(_ledgers()):
            entry.unlink(missing_ok=True)
        os.close(held)


def _ledgers() -> Path:
    return Path(settings.DATA_DIR) / "room"


def copy(content: BinaryIO, target: Path) -> None:
    """Write ``content`` to the new file ``target``. Raises `NoRoom`.

    Where both are files the kernel copies, or has them share their blocks where the disk can.
    """
    size_bytes = content.seek(0, os.SEEK_END)
    content.seek(0)
    with room_on(target.parent) as room, room.create(target, announced_bytes=size_bytes) as made:
        _copy_in_kernel(content, made, size_bytes, room)
        # The rest, which is all of it where the kernel can't.
        shutil.copyfileobj(content, made, _COPY_BYTES)


def _copy_in_kernel(content: BinaryIO, made: BinaryIO, size_bytes: int, room: Room) -> None:
    """Copy what copy_file_range(2) takes; both are left where it ended."""
    copied = 0
    with suppress(io.UnsupportedOperation):  # what an object store gives is no file
        source, target = content.fileno(), made.fileno()
        while piece := _copy_piece(source, target, copied, size_bytes - copied, room):
            copied += piece
        content.seek(copied)
        made.seek(copied)


def _copy_piece(source: int, target: int, at: int, left_bytes: int, room: Room) -> int:
    """Give how many bytes were copied; none at the end, and where the kernel can't."""
    most_bytes = min(left_bytes, AHEAD_BYTES)
    room.keep(most_bytes)
    try:
        return os.copy_file_range(source, target, most_bytes, at, at)
    except OSError as error:
        if error.errno not in _NO_COPY:
            raise
        return 0


@contextmanager
def _locked(ledger: Path) -> Iterator[None]:
    """One writer at a time looks and keeps.

    Who holds it holds it for less than a millisecond. One that was stopped in there can't keep
    anything meanwhile either, so after a while the others go on without it.
    """
    with shared_folders.as_owner_of(_ledgers()):
        lock = locks.opened(ledger.with_suffix(".lock"))
    try:
        if not locks.gets(lock, within_s=_LOCK_PATIENCE_S):
            logger.warning("The ledger of a disk is held by somebody who stands still")
        yield
    finally:
        os.close(lock)


def _entries(ledger: Path) -> list[Path]:
    return list(ledger.iterdir())
