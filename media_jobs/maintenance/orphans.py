"""FFmpegs that outlived their attempt. The kernel ends them first; this is the net below."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from django.conf import settings

from ffapi_site.lib.chores import Items
from media_jobs.host import scratch

logger = logging.getLogger(__name__)

_STRAYS = Items("strays")
# As their names begin: those of the wheels name a version as well.
_PROGRAMS = ("ffmpeg", "ffprobe")


def end() -> int:
    """Kill what runs in the folder of an attempt that does not; give their number.

    Never a live one's: the processes are listed before the attempts, and an attempt is claimed
    before its first process starts.
    """
    found = list(_in_job_folders())
    if not found:
        return 0
    live = scratch.live_attempts()
    strays = [(process, attempt) for process, attempt in found if attempt not in live]
    return _STRAYS.each(strays, _end, key=lambda stray: stray[0].pid)


def _end(stray: tuple[psutil.Process, str]) -> None:
    process, attempt = stray
    with suppress(psutil.NoSuchProcess):
        process.kill()
    logger.warning("Killed a stray process", extra={"pid": process.pid, "folder": attempt})


def _in_job_folders() -> Iterator[tuple[psutil.Process, str]]:
    """The processes of this host's attempts, each with the name of its folder."""
    scratch_folder = Path(settings.SCRATCH_DIR)
    for process in psutil.process_iter(["name"]):
        if not process.info["name"].startswith(_PROGRAMS):
            continue
        try:
            place = Path(process.cwd())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # it has ended, or belongs to somebody else
        if place.parent == scratch_folder and place.name.startswith("job_"):
            # What was removed around the process is still told, with a mark behind it.
            yield process, place.name.removesuffix(" (deleted)")
