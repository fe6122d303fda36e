"""What the sandbox may touch in the file system, in Landlock's terms.

Rights and structures are those of ``linux/landlock.h``; a kernel is told only of the rights that
its ABI version knows. https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from media_jobs.sandbox.allowed_paths import Place, Use

_EXECUTE: Final = 1 << 0
_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_REMOVE_DIR: Final = 1 << 4
_REMOVE_FILE: Final = 1 << 5
_MAKE_DIR: Final = 1 << 7
_MAKE_REG: Final = 1 << 8
_TRUNCATE: Final = 1 << 14
_IOCTL_DEV: Final = 1 << 15
_ONLY_FOR_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV

_READ: Final = _READ_FILE | _READ_DIR
_REWRITE: Final = _READ_FILE | _WRITE_FILE | _TRUNCATE
_RIGHTS: Final = {
    Use.READ: _READ,
    Use.RUN: _READ_FILE | _EXECUTE,
    Use.DEVICE: _READ_FILE | _WRITE_FILE | _IOCTL_DEV,
    Use.REWRITE: _REWRITE,
    Use.WORK: _READ | _REWRITE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG,
}

_CREATE_RULESET: Final = 444
_VERSION_FLAG: Final = 1

# Number of file system rights by ABI version; later versions add none.
_FS_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15}
_FS_RIGHTS_LATEST: Final = 16
_TCP_BIND_AND_CONNECT: Final = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS: Final = 0b11


@dataclass(frozen=True)
class Handled:
    """The rights that are refused wherever no rule grants them."""

    fs: int
    net: int
    scoped: int
    size_bytes: int
    """Of the structure that this ABI expects."""


@lru_cache(maxsize=1)
def version() -> tuple[int, str | None]:
    """ABI version, or 0 and the reason."""
    libc = ctypes.CDLL(None, use_errno=True)
    abi = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if abi >= 1:
        return abi, None
    code = ctypes.get_errno()
    reasons = {
        errno.ENOSYS: "the kernel has no Landlock (5.13 or later needed), or a container hides it",
        errno.EOPNOTSUPP: "Landlock is not enabled at boot (lsm=landlock,...)",
    }
    return 0, reasons.get(code, os.strerror(code))


def handled(abi: int) -> Handled:
    rights = (1 << _FS_RIGHTS.get(abi, _FS_RIGHTS_LATEST)) - 1
    if abi < 4:
        return Handled(rights, 0, 0, 8)
    if abi < 6:
        return Handled(rights, _TCP_BIND_AND_CONNECT, 0, 16)
    return Handled(rights, _TCP_BIND_AND_CONNECT, _ABSTRACT_SOCKETS_AND_SIGNALS, 24)


def orders(places: Iterable[Place]) -> list[str]:
    """What the launcher is told, so that nothing but ``places`` can be touched."""
    known = handled(version()[0])
    ruleset = f"landlock={known.fs}:{known.net}:{known.scoped}:{known.size_bytes}"
    return [ruleset, *(f"allow={_rights(place) & known.fs}:{place.path}" for place in places)]


@lru_cache(maxsize=64)  # they are the same few for every process, and each is a look at the disk
def _rights(place: Place) -> int:
    rights = _RIGHTS[place.use]
    is_file = Path(place.path).is_absolute() and not Path(place.path).is_dir()
    return rights & _ONLY_FOR_FILES if is_file else rights
