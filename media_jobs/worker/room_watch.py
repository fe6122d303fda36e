"""What FFmpeg writes, looked at while it writes: the kernel bounds each file, not their sum."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from ffapi_site.lib.room import NoRoom, Room
from media_jobs.ffmpeg import failures

WATCH_S = 0.1
MOST_ENTRIES = 1000
# What is kept for the next moment. A disk that takes more than this between two looks, or twice
# what it took before, gets ahead of the watch by the rest.
AHEAD_BYTES = 64 << 20
_BLOCK_BYTES = 512  # of st_blocks, whatever the file system's are
_WRITABLE = ("out", "tmp")


class RoomWatch:
    """Tells of a command when all that lies in ``out/`` and ``tmp/`` is more than it may be.

    ``failure`` then says which: its own size or number, or the room on the disk, which is kept a
    little ahead in ``room``.
    """

    def __init__(self, folder: Path, room: Room) -> None:
        self._folder = folder
        self._room = room
        self._seen_bytes = self._grown_bytes = 0
        self._looked_at = 0.0
        self.failure: failures.Failure | None = None

    def is_over(self) -> bool:
        """Look again, ten times a second at most."""
        if self.failure is None and time.monotonic() - self._looked_at >= WATCH_S:
            self.measure()
            self._keep_ahead()
            self._looked_at = time.monotonic()
        return self.failure is not None

    def measure(self) -> None:
        """Look at what there is; what has failed stays failed."""
        if self.failure is not None:
            return
        size_bytes, too_much = 0, ""
        try:
            for number, each in enumerate(_written(self._folder), start=1):
                size_bytes += each.st_blocks * _BLOCK_BYTES
                if size_bytes > settings.MAX_JOB_OUTPUT_MB << 20:
                    most = f"{settings.MAX_JOB_OUTPUT_MB} MiB"
                    too_much = f"all that it wrote together grew over {most}"
                    break
                if number > MOST_ENTRIES:
                    too_much = f"it wrote more than {MOST_ENTRIES} files and folders"
                    break
        except OSError:  # closed, or deeper than any path leads: no FFmpeg does that
            too_much = "it made folders that can't be looked into"
        if too_much:
            self.failure = failures.too_much_written(too_much)
        else:
            self._grown_bytes, self._seen_bytes = size_bytes - self._seen_bytes, size_bytes

    def _keep_ahead(self) -> None:
        if self.failure is not None:
            return
        try:
            self._room.keep(max(AHEAD_BYTES, 2 * self._grown_bytes))
        except NoRoom:
            self.failure = failures.STORAGE_FULL


def _written(folder: Path) -> Iterator[os.stat_result]:
    """What FFmpeg made, one after the other however deep it lies; links are not followed."""
    unseen = [folder / name for name in _WRITABLE]
    while unseen:
        with suppress(FileNotFoundError), os.scandir(unseen.pop()) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # it went meanwhile
                    yield entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    unseen.append(Path(entry.path))
