"""The PostgreSQL that runs from the data folder, for whoever works with the site's tables."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from ffapi_site.database import remains, sockets
from ffapi_site.database.server import NotReady, Server

__all__ = ["NotReady", "is_running", "kept", "renew", "socket_folder", "start", "stop"]

# A lock on a file holds between processes, but not between the threads of one.
_one_thread = threading.RLock()


def start(folder: Path) -> str:
    """Start the server of ``folder`` where it does not run, and give its socket's folder.

    Raises ``NotReady``, saying why, where it does not come up.
    """
    return _start(folder.resolve(), is_renewed=False)


def renew(folder: Path) -> str:
    """As ``start``; but one that runs with other options, an older version's say, is replaced."""
    return _start(folder.resolve(), is_renewed=True)


def _start(folder: Path, *, is_renewed: bool) -> str:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder):
        server = Server(folder)
        if is_renewed and server.process and not server.is_as_wanted():
            server.stop()
        if not server.is_up():
            try:
                server.start()
            except (OSError, sockets.NotOurs) as error:
                raise NotReady(str(error)) from error
        return str(remains.recorded_sockets(folder) or server.sockets)


def stop(folder: Path) -> None:
    """Stop the server of ``folder``; nothing happens where it does not run."""
    folder = folder.resolve()
    if is_running(folder):
        with _one_at_a_time(folder):
            Server(folder).stop()
    socket_folder.cache_clear()


def is_running(folder: Path) -> bool:
    return remains.postmaster(folder.resolve()) is not None


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """See to the server of ``folder`` for a while: until the end nobody else's work starts it.

    So a fault of it shows, in the logs and in the health of the site, as what it is.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock_file(folder, "kept").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_kept(folder: Path) -> bool:
    try:
        lock = os.open(_lock_file(folder, "kept"), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


@lru_cache(maxsize=2)
def socket_folder(folder: Path) -> str:
    """Give the folder of the server's socket; asked for once a process.

    The server is started where it does not run and no site sees to it: a command works without.
    """
    if _is_kept(folder):
        return str(sockets.place(folder.resolve(), folder.stat().st_uid))
    return start(folder)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with _one_thread, _lock_file(folder, "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lock_file(folder: Path, name: str) -> Path:
    return folder.with_name(f"{folder.name}.{name}")
