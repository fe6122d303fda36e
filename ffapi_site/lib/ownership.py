"""Files and folders that change hands, though who had them may want to keep a way in.

A new owner alone shuts nobody out: modes and access lists let others write, what is open stays
open, and a folder that is not closed first changes while it is looked through.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_ANY: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_ACCESS_LISTS: Final = ("system.posix_acl_access", "system.posix_acl_default")
_NONE_THERE: Final = (errno.ENODATA, errno.ENOTSUP)
_MODE: Final = 0o755  # all that is left of one: others look at most
_LARGEST_BYTES: Final = 1 << 30
_DEEPEST: Final = 50
_NEW: Final = ".reclaimed"


def hand_over(top: Path, uid: int, gid: int) -> None:
    """Give what is root's to another user: ``top`` and all below it. No link is followed.

    ``top`` comes last: where this is broken off, its owner tells that it is to be done again.
    """
    for _, folders, files, at in os.fwalk(top, topdown=False):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):
                os.chown(name, uid, gid, dir_fd=at, follow_symlinks=False)
    os.chown(top, uid, gid, follow_symlinks=False)


def pass_on(top: Path, uid: int, gid: int) -> None:
    """Give a folder of one user to another, who trusts the first no more. No link is followed.

    Meanwhile ``top`` is root's, which tells that it is to be done again where this is broken off.
    """
    with _opened(top) as folder:
        _close(folder)
        os.fchmod(folder, stat.S_IRWXU)
        _pass_on(folder, uid, gid, 0)
        os.fchown(folder, uid, gid)


def _pass_on(folder: int, uid: int, gid: int, depth: int) -> None:
    _require_shallow(depth)
    for name in _names_in(folder):
        # Before it is looked into: from then on the first one changes nothing in there.
        os.chown(name, uid, gid, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            with _opened(name, folder) as inner:
                _pass_on(inner, uid, gid, depth + 1)


def close(path: Path) -> None:
    """Make a folder, or a file that is only locked, root's and nobody else's to write in."""
    with _opened(path) as opened:
        _close(opened)


def _close(opened: int) -> None:
    os.fchown(opened, 0, 0)
    for name in _ACCESS_LISTS:
        try:
            os.removexattr(opened, name)
        except OSError as error:
            if error.errno not in _NONE_THERE:
                raise
    os.fchmod(opened, stat.S_IMODE(os.fstat(opened).st_mode) & _MODE)


def reclaim(top: Path, uid: int) -> None:
    """Make root's what is ``uid``'s in ``top``, so that they keep no way in; may be done again.

    Each of their files is made anew, and what is neither file nor folder is removed. Raises OSError
    for what no site makes: folders too deep, files too large.
    """
    with _opened(top.parent) as above:
        _reclaim(above, top.name, uid, 0)


def _reclaim(above: int, name: str, uid: int, depth: int) -> None:
    _require_shallow(depth)
    seen = os.stat(name, dir_fd=above, follow_symlinks=False)
    if stat.S_ISDIR(seen.st_mode):
        with _opened(name, above) as folder:
            if seen.st_uid == uid:
                _close(folder)  # before it is looked into, as above
            for inner in _names_in(folder):
                _reclaim(folder, inner, uid, depth + 1)
    elif seen.st_uid == uid and stat.S_ISREG(seen.st_mode):
        _make_anew(above, name)
    elif seen.st_uid == uid or name == _NEW:
        os.unlink(name, dir_fd=above)


def _make_anew(above: int, name: str) -> None:
    """Put a copy in the place of a file: whoever has it open has the old one."""
    with os.fdopen(os.open(name, _ANY, dir_fd=above), "rb") as old:
        seen = os.fstat(old.fileno())
        if seen.st_size > _LARGEST_BYTES:
            raise OSError(errno.EFBIG, f"{name} is too large for what it is")
        with suppress(FileNotFoundError):
            os.unlink(_NEW, dir_fd=above)
        made = os.open(_NEW, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=above)
        with os.fdopen(made, "wb") as new:
            shutil.copyfileobj(old, new)
            new.flush()
            os.fchmod(made, stat.S_IMODE(seen.st_mode) & _MODE)
            os.fsync(made)
    os.rename(_NEW, name, src_dir_fd=above, dst_dir_fd=above)


def _names_in(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _require_shallow(depth: int) -> None:
    if depth > _DEEPEST:
        raise OSError(errno.ELOOP, "there are folders too deep for a site to have made them")


@contextmanager
def _opened(path: Path | str, above: int | None = None) -> Iterator[int]:
    opened = os.open(path, _ANY, dir_fd=above)
    try:
        yield opened
    finally:
        os.close(opened)
