"""Files that only grow, a line at a time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO


def append(path: Path, lines: bytes, *, mode: int) -> None:
    """Append whole lines, and wait until the disk has them; ``mode`` is that of a new file.

    What a crash left of an earlier line becomes a line of its own, and spoils no other.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, mode)
    with os.fdopen(handle, "ab+") as file:
        file.write(b"\n" + lines if _is_torn(file) else lines)
        file.flush()
        os.fsync(file.fileno())


def _is_torn(file: IO[bytes]) -> bool:
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"
