"""An input of which as much is fetched as is read: a film's head and index, not its gigabytes.

The file has its full length, and holes where nothing was fetched. Where somebody reads in a hole,
the kernel keeps a page of zeros, of which mincore(2) tells: what was read there is fetched and all
of it done again, until nothing was read that is not there.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, TypeVar

from ffapi_site.lib.netguard import FIRST_BYTES, Remote
from ffapi_site.lib.refusal import Refusal
from ffapi_site.lib.room import room_on
from media_jobs.worker.executor import Failed

_BLOCK_BYTES: Final = 64 << 10
_WINDOW_BYTES: Final = 1 << 30
_ROUNDS: Final = 7
_MOST_BLOCKS: Final = 1 << 16  # of a larger file the blocks are larger
_FIRST_BLOCKS: Final = 4

_libc = ctypes.CDLL(None, use_errno=True)

T = TypeVar("T")


class RemoteInput:
    """``path`` is the file in a scratch folder, whose first bytes were fetched."""

    def __init__(self, path: Path, remote: Remote) -> None:
        self._path = path
        self._remote = remote
        self._size_bytes = remote.found.size_bytes
        self._block_bytes = _BLOCK_BYTES
        while self._size_bytes > _MOST_BLOCKS * self._block_bytes:
            self._block_bytes *= 2
        blocks = -(-self._size_bytes // self._block_bytes)
        self._missing = set(range(FIRST_BYTES // self._block_bytes, blocks))

    @property
    def digest(self) -> str:
        """Of what its server tells the version by: whose digest is the same has the same bytes."""
        version = self._remote.version
        told = [self._remote.found.final_url, version.validator, version.size_bytes]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def read_by(self, run: Callable[[], T]) -> T:
        """Give what ``run`` gives, or raise what it raises, once all that it reads is there."""
        for at_once in (_FIRST_BLOCKS << doubled for doubled in range(_ROUNDS)):
            with _seen(self._path.parent) as is_seen:
                outcome = _outcome(run)
                touched = self._touched()
                if not is_seen():
                    break
            if not touched:
                return outcome()
            self._fetch({block for row in _rows(touched) for block in self._first_of(row, at_once)})
        self._fetch(self._missing)
        return run()

    def _touched(self) -> set[int]:
        """The blocks that were read and are not there; the kernel forgets that they were."""
        with self._path.open("r+b") as file:
            pages = _in_memory(file.fileno(), self._size_bytes, self._block_bytes)
            touched = self._missing & {at // self._block_bytes for at in pages}
            for row in _rows(touched):
                begin, length = row[0] * self._block_bytes, len(row) * self._block_bytes
                os.posix_fadvise(file.fileno(), begin, length, os.POSIX_FADV_DONTNEED)
            return touched

    def _first_of(self, row: list[int], most: int) -> list[int]:
        """A part: who met zeros may have looked on for something else, which is no need.

        At the file's end others look backwards from it.
        """
        is_at_end = row[-1] == (self._size_bytes - 1) // self._block_bytes
        return [*row[:most], *(row[-most:] if is_at_end else ())]

    def _fetch(self, blocks: set[int]) -> None:
        with room_on(self._path.parent) as room, room.create(self._path, mode="r+b") as file:
            for row in _rows(blocks):
                end = min((row[-1] + 1) * self._block_bytes, self._size_bytes)
                self._remote.fetch(file, row[0] * self._block_bytes, end)
        self._missing -= blocks


def _outcome(run: Callable[[], T]) -> Callable[[], T]:
    """Run it, and give what gives, or raises, what came of it."""
    try:
        result = run()
    except (Refusal, Failed) as error:
        refused = error
    else:
        return lambda: result

    def again() -> T:
        raise refused

    return again


@contextmanager
def _seen(folder: Path) -> Iterator[Callable[[], bool]]:
    """Tell in the end whether this disk shows what was read meanwhile: not all file systems do.

    By what was read first, which the kernel forgets first.
    """
    with TemporaryFile(dir=folder) as hole:
        hole.truncate(mmap.PAGESIZE)
        os.pread(hole.fileno(), 1, 0)
        yield lambda: any(True for _ in _in_memory(hole.fileno(), mmap.PAGESIZE, mmap.PAGESIZE))


def _in_memory(file: int, size_bytes: int, block_bytes: int) -> Iterator[int]:
    """Where a page of a file is in the kernel's cache; one place in each block that has any."""
    for begin in range(0, size_bytes, _WINDOW_BYTES):
        length = min(size_bytes - begin, _WINDOW_BYTES)
        pages = _pages(file, begin, length)
        page = pages.find(1)
        while page >= 0:
            at = page * mmap.PAGESIZE
            yield begin + at
            page = pages.find(1, (at // block_bytes + 1) * block_bytes // mmap.PAGESIZE)


def _pages(file: int, begin: int, length: int) -> bytes:
    """One byte a page: 1 where it is in memory."""
    told = (ctypes.c_ubyte * -(-length // mmap.PAGESIZE))()
    with mmap.mmap(file, length, offset=begin) as mapped:
        first = ctypes.c_char.from_buffer(mapped)
        failed = _libc.mincore(ctypes.byref(first), ctypes.c_size_t(length), told)
        del first  # or the mapping could not be closed
    if failed:
        raise OSError(ctypes.get_errno(), "the kernel does not tell what is in its memory")
    return bytes(told)


def _rows(blocks: set[int]) -> Iterator[list[int]]:
    """Those that are neighbours, together."""
    for _, row in groupby(enumerate(sorted(blocks)), lambda each: each[1] - each[0]):
        yield [block for _, block in row]
