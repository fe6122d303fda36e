"""Where bytes on their way in lie until they are stored."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.http import HttpRequest, UnreadablePostError

from ffapi_site.lib.ids import new_id
from ffapi_site.lib.problems import Malformed, TooLarge
from ffapi_site.lib.room import Room, room_on

_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Landing:
    """A path, and the room on the disk that is kept for what is written there.

    ``announced_bytes`` is 0 where nobody has said how many there will be; ``most_bytes`` is how
    many there may be. ``hold`` is the storage that the quotas keep for it.
    """

    path: Path
    room: Room
    announced_bytes: int
    most_bytes: int
    hold: str = ""

    def create(self) -> BinaryIO:
        """Open a new file that the sandbox's user may read; its folder is for us alone.

        Writing it, and closing it, raises ``NoRoom`` where the disk has none.
        """
        handle = self.room.create(self.path, announced_bytes=self.announced_bytes, mode="x+b")
        os.fchmod(handle.fileno(), 0o644)
        return handle

    def write_body(self, request: HttpRequest) -> str:
        """Write down a body that is the file itself; give its SHA-256.

        Raises `TooLarge`, and `Malformed`.
        """
        size_bytes, digest = 0, hashlib.sha256()
        try:
            with self.create() as target:
                while part := request.read(_CHUNK_BYTES):
                    size_bytes += len(part)
                    if size_bytes > self.most_bytes:
                        raise too_large(self.most_bytes)
                    target.write(part)
                    digest.update(part)
        except UnreadablePostError as error:
            raise Malformed("the body ended early", code="body_incomplete") from error
        return digest.hexdigest()


@contextmanager
def landing(announced_bytes: int, *, most_bytes: int, hold: str = "") -> Iterator[Landing]:
    """Give a place for bytes on their way in; whatever is left there at the end is removed.

    It lies beside the stored files where both are in the data folder, so storing is a rename.
    Raises ``NoRoom`` where the disk has no room for what is announced; of that a piece is kept.
    """
    folder = Path(str(settings.FILE_UPLOAD_TEMP_DIR))
    path = folder / f"{new_id('upload')}.part"
    with room_on(folder) as room:
        room.expect(announced_bytes)
        try:
            yield Landing(path, room, announced_bytes, most_bytes, hold)
        finally:
            path.unlink(missing_ok=True)


def too_large(most_bytes: int) -> TooLarge:
    return TooLarge(f"a file may have {most_bytes >> 20} MiB", code="file_too_large")
