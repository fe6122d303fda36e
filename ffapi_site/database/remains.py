"""What a dead server leaves: lock files with its number, and processes that hold its memory."""

from __future__ import annotations

import errno
import logging
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

import psutil

from ffapi_site.database import sockets

logger = logging.getLogger(__name__)

_SOCKETS_AT = 4  # the line of ``postmaster.pid`` that names the folder of the server's socket
_ENDS_WITHIN_S = 5


def cluster_name(folder: Path) -> str:
    """What PostgreSQL shows in the titles of its processes, so that they can be told apart."""
    return f"ffapi-{sockets.short_name(folder)}"


def postmaster(folder: Path) -> psutil.Process | None:
    """The running server of the folder; a zombie, or another process of its number, is none."""
    told = lines(folder / "postmaster.pid")
    if not told or not told[0].strip().isdecimal():
        return None
    pid = int(told[0])
    return psutil.Process(pid) if is_of(folder, pid) else None


def recorded_sockets(folder: Path) -> Path | None:
    told = lines(folder / "postmaster.pid")
    return Path(told[_SOCKETS_AT]) if len(told) > _SOCKETS_AT and told[_SOCKETS_AT] else None


def clear(folder: Path, socket_folder: Path) -> bool:
    """End and remove what a dead server left; tell whether nothing stands in the way any more.

    Not while one runs. A process of it that stands still, or is too busy to look whether its
    server lives, holds the shared memory, and PostgreSQL starts no other beside it. A number in a
    lock file may be another process's by now, and an empty file, of a full disk, is nobody's:
    PostgreSQL would take the first for a server and wait for the second to be written.
    """
    left = [each for each in psutil.process_iter() if is_of(folder, each.pid)]
    for process in left:
        logger.warning("A process outlived its database server", extra={"pid": process.pid})
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if not wait_for_end(left, _ENDS_WITHIN_S):
        return False  # in an uninterruptible wait: of a dead disk, for example
    for place in {socket_folder, recorded_sockets(folder) or folder, folder}:
        for lock in place.glob(".s.PGSQL.*.lock"):
            if str(folder) in lines(lock):
                lock.unlink(missing_ok=True)
    (folder / "postmaster.pid").unlink(missing_ok=True)  # last: it tells of the others
    return True


def wait_for_end(processes: list[psutil.Process], within_s: float) -> bool:
    """Wait until all have ended, and tell whether they have.

    Not by psutil: it waits until a process that is not our child is buried as well, and in a
    container nobody may ever do that.
    """
    until = time.monotonic() + within_s
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                if time.monotonic() > until:
                    return False
                time.sleep(0.02)
    return True


def lines(path: Path) -> list[str]:
    """What a file of the server's says. A link, or a pipe that nobody fills, says nothing."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return []
        raise
    with os.fdopen(file, errors="replace") as opened:
        is_file = stat.S_ISREG(os.fstat(file).st_mode)
        return opened.read().splitlines() if is_file else []


def is_of(folder: Path, pid: int) -> bool:
    """Is it a process of the server of this folder? Only its own user can be that."""
    try:
        process = psutil.Process(pid)
        if process.name() != "postgres" or process.uids().real != folder.stat().st_uid:
            return False
        with suppress(psutil.AccessDenied):  # root in a container may not look
            return bool(process.cwd() == str(folder))
        told = process.cmdline()  # so its title has to do
        title = f"postgres: {cluster_name(folder)}: "
        return str(folder) in told or any(word.startswith(title) for word in told)
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # a zombie is nowhere
        return False
    except FileNotFoundError:  # nor is anything that of a server that was never made
        return False
