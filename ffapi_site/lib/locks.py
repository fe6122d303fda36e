"""Files that processes lock against each other: whoever can open one can lock it, for ever.

So they are their owner's alone, those that an older version made for all to read included. One
who had such a file open before may hold it still: each wait has an end, and says what it was for.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_LOOKS_EVERY_S: Final = 0.005
_MODE: Final = 0o600


def opened(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open the lock file ``path``, made where it is not there, and close it to all but its owner.

    One that root makes belongs to the owner of its folder, whose site is to lock it, too.
    """
    # Without waiting: what another user put there may be a pipe that nobody ever opens.
    file = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, _MODE)
    try:
        folder = path.parent.stat()
        if os.geteuid() in {0, os.fstat(file).st_uid}:
            os.fchmod(file, _MODE)
        if os.geteuid() == 0:
            with suppress(PermissionError):  # a root of few rights
                os.fchown(file, folder.st_uid, folder.st_gid)
    except BaseException:
        os.close(file)
        raise
    return file


def gets(file: int, *, within_s: float, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file, waiting for ``within_s`` at most; tell whether that was enough."""
    until = time.monotonic() + within_s
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOKS_EVERY_S)
        else:
            return True


@contextmanager
def held(path: Path, *, within_s: float) -> Iterator[None]:
    """Hold the lock file ``path``. Raises TimeoutError where another has it for ``within_s``."""
    file = opened(path)
    try:
        if not gets(file, within_s=within_s):
            raise TimeoutError(f"another process has held {path} for {within_s:g} s")
        yield
    finally:
        os.close(file)
