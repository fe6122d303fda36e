"""A network that has no way out: a namespace with nothing in it but its own loopback."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ClosedNetwork:
    """Made by root only. Elsewhere ``entered`` changes nothing and the connect guard is alone.

    A socket belongs to the network in which it was made, and a process or thread begins in that of
    its parent: the test's own thread is enough to bring all of the site inside.
    """

    def __init__(self) -> None:
        self._outside = _own()
        self._inside = _made() if os.geteuid() == 0 else None
        _enter(self._outside)

    @property
    def is_closed(self) -> bool:
        return self._inside is not None

    @contextmanager
    def entered(self) -> Iterator[None]:
        if self._inside is None:
            yield
            return
        _enter(self._inside)
        try:
            yield
        finally:
            _enter(self._outside)

    def close(self) -> None:
        for namespace in (self._outside, self._inside):
            if namespace is not None:
                os.close(namespace)


def _own() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _made() -> int | None:
    """A new namespace with its loopback up; None where the host does not let us."""
    if _libc.unshare(_CLONE_NEWNET) != 0:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)
    return _own()


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET) != 0 and os.geteuid() == 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
