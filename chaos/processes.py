"""Which process of the site is what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psutil

from chaos.ground import Ground
from ffapi_site.database import remains

_PROGRAMS = ("ffmpeg", "ffprobe")


def encoders(ground: Ground) -> list[psutil.Process]:
    """Every FFmpeg and ffprobe that works in the site's scratch folder."""
    return [each for each in psutil.process_iter() if _works_in(each, str(ground.scratch))]


def _works_in(process: psutil.Process, folder: str) -> bool:
    try:
        is_one = process.name().startswith(_PROGRAMS)
        return bool(is_one and process.cwd().startswith(folder))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def workers(ground: Ground) -> list[psutil.Process]:
    """Those that run a job just now: what started an FFmpeg."""
    return _alive(partial(_starter, each) for each in encoders(ground))


def _starter(process: psutil.Process) -> psutil.Process | None:
    """Bubblewrap stands between the two where there are namespaces."""
    return next((each for each in process.parents() if each.name() != "bwrap"), None)


def guards(ground: Ground) -> list[psutil.Process]:
    pids = [pid for (pid,) in ground.rows("SELECT pid FROM media_jobs_slot ORDER BY name")]
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]


def sentinels(ground: Ground) -> list[psutil.Process]:
    return [child for guard in guards(ground) for child in children(guard)]


def below_sentinels(ground: Ground) -> list[psutil.Process]:
    """Workers, busy or idle, and those that hand them their tokens."""
    found = [child for sentinel in sentinels(ground) for child in children(sentinel)]
    return [each for each in found if each.name() not in _PROGRAMS]


def web_masters(ground: Ground) -> list[psutil.Process]:
    web = [each for each in ground.server.processes() if _is_web(each)]
    pids = {each.pid for each in web}
    return [each for each in web if each.ppid() not in pids]


def web_workers(ground: Ground) -> list[psutil.Process]:
    return [child for master in web_masters(ground) for child in children(master)]


def _is_web(process: psutil.Process) -> bool:
    return _is_program(process, "gunicorn")


def _is_program(process: psutil.Process, word: str) -> bool:
    try:
        words = process.cmdline()
        return word in " ".join(words) and "ffapi_site.serving.tied" not in words
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def database_keepers(ground: Ground) -> list[psutil.Process]:
    running = ground.server.processes()
    return [each for each in running if _is_program(each, "ffapi: database")]


def maintenance(ground: Ground) -> list[psutil.Process]:
    """The program that does the chores, below the process that watches over it."""
    return _watched(ground, "maintenance")


def webhook_senders(ground: Ground) -> list[psutil.Process]:
    return _watched(ground, "webhooks")


def _watched(ground: Ground, command: str) -> list[psutil.Process]:
    running = [each for each in ground.server.processes() if _is_program(each, f"ffapi: {command}")]
    pids = {each.pid for each in running}
    return [each for each in running if each.ppid() in pids]


def postmasters(ground: Ground) -> list[psutil.Process]:
    running = remains.postmaster(ground.folder / "postgres")
    return [running] if running else []


def backends(ground: Ground) -> list[psutil.Process]:
    """The database's processes that serve the site."""
    query = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid"
    )
    return [psutil.Process(pid) for (pid,) in ground.rows(query) if psutil.pid_exists(pid)]


def children(process: psutil.Process) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = process.children()
    except psutil.NoSuchProcess:
        return []
    return found


def _alive(looks: Iterator[Callable[[], Any]] | Any) -> list[psutil.Process]:
    found = []
    for look in looks:
        try:
            found.append(look())
        except psutil.NoSuchProcess:
            continue
    return [each for each in found if each is not None]
