"""The PostgreSQL that runs from the data folder, for whoever works with the site's tables."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from ffapi_site.database import remains, sockets
from ffapi_site.database.server import NotReady, Server
from ffapi_site.lib import locks

__all__ = ["NotReady", "is_running", "kept", "renew", "socket_folder", "start", "stop"]

# A lock on a file holds between processes, but not between the threads of one.
_one_thread = threading.RLock()

_KEPT_WITHIN_S: Final = 10.0  # whoever asks whether it is kept holds it for a moment
_TURN_WITHIN_S: Final = 300.0  # others start it first, which may take a recovery


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

    So a fault of it shows, in the logs and in the health of the site, as what it is. Raises
    ``NotReady`` where another sees to it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _held(_lock_file(folder, "kept"), within_s=_KEPT_WITHIN_S):
        yield


def _is_kept(folder: Path) -> bool:
    try:
        lock = os.open(_lock_file(folder, "kept"), os.O_RDONLY)
    except FileNotFoundError:
        return False
    except PermissionError:  # another user's, who lets us connect, or else `start` says so
        return os.access(_sockets(folder), os.X_OK)
    try:
        return not locks.gets(lock, within_s=0, kind=fcntl.LOCK_SH)
    finally:
        os.close(lock)


@lru_cache(maxsize=2)
def socket_folder(folder: Path) -> str:
    """Give the folder of the server's socket; asked for once a process.

    The server is started where it does not run and no site sees to it: a command works without.
    """
    return str(_sockets(folder)) if _is_kept(folder) else start(folder)


def _sockets(folder: Path) -> Path:
    return sockets.place(folder.resolve(), folder.stat().st_uid)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with _one_thread, _held(_lock_file(folder, "lock"), within_s=_TURN_WITHIN_S):
        yield


@contextmanager
def _held(path: Path, *, within_s: float) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.held(path, within_s=within_s))
        except OSError as error:
            raise NotReady(str(error)) from error
        yield


def _lock_file(folder: Path, name: str) -> Path:
    return folder.with_name(f"{folder.name}.{name}")
