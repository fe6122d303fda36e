"""Files that only grow, a line at a time."""

from __future__ import annotations

import os
from pathlib import Path


def append(path: Path, lines: bytes, *, mode: int) -> None:
    """Append whole lines, and wait until the disk has them; ``mode`` is that of a new file.

    What a crash left of an earlier line becomes a line of its own, and spoils no other.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, mode)
    with os.fdopen(handle, "ab+") as file:
        size = file.seek(0, os.SEEK_END)
        is_torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        file.write(b"\n" + lines if is_torn else lines)
        file.flush()
        os.fsync(file.fileno())
