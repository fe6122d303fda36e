"""The private folders in which attempts work."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp

from django.conf import settings

from ffapi_site.lib import trees
from ffapi_site.lib.chores import Items
from media_jobs import sandbox
from media_jobs.models import Job, Status

logger = logging.getLogger(__name__)

_CLEARED_WITHIN_S = 4.0
_SWEPT_WITHIN_S = 10.0  # other chores wait meanwhile
_PASSING_S = 10.0  # by then whoever made a passing folder holds it

_STALE = Items("scratch")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """Make the scratch folder ``name`` with its in/, out/ and tmp/; it is gone afterwards."""
    settings.SCRATCH_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    path: Path = settings.SCRATCH_DIR / name
    if path.parent != settings.SCRATCH_DIR or path.name == "..":
        # Of a row that nobody here wrote: whoever has the site's password may call a job anything.
        raise ValueError("a scratch folder lies in the scratch folder itself")
    path.mkdir(mode=0o700)
    try:
        sandbox.prepare(path)
        yield path
    finally:
        _clear(path)


def input_path(position: int, name: str) -> str:
    """The server's own name for an input; only a harmless suffix of the user's is kept."""
    suffix = PurePosixPath(name).suffix.lower()
    return f"in/{position}{suffix if _SUFFIX.fullmatch(suffix) else ''}"


def of_attempt(job: Job) -> str:
    return f"{job.id}.{job.attempt}"


@contextmanager
def passing(purpose: str) -> Iterator[Path]:
    """Make a scratch folder that belongs to no job: a probe's, a request's."""
    settings.SCRATCH_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = Path(mkdtemp(prefix=f"{purpose}.", dir=settings.SCRATCH_DIR))
    held = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)  # the kernel lets go of it with this process
        sandbox.prepare(path)
        yield path
    finally:
        _clear(path)
        os.close(held)


def sweep() -> int:
    """Remove the folders of attempts that no longer run; give their number."""
    # First the folders, then the rows: what was claimed in between has no folder here.
    found = list(settings.SCRATCH_DIR.glob("job_*.*"))
    if not found:
        return 0
    live = live_attempts()
    return _remove_all([path for path in found if path.name not in live])


def sweep_passing() -> int:
    """Remove the passing folders whose process died and left them; give their number."""
    oldest = time.time() - _PASSING_S
    others = [path for path in settings.SCRATCH_DIR.glob("*.*") if not path.name.startswith("job_")]
    old = []
    for path in others:
        with suppress(FileNotFoundError):  # its owner was done with it
            if path.lstat().st_mtime < oldest:
                old.append(path)
    return _remove_all(path for path in old if _is_abandoned(path))


def troubles() -> dict[str, str]:
    """What this process could not remove, and nobody else has since, for whoever asks."""
    left = sum(os.path.lexists(str(path)) for path in _STALE.left)
    return {"stale scratch": f"{left} can't be removed"} if left else {}


def _remove_all(stale: Iterable[Path]) -> int:
    """Remove folders for a while; what is left then has its turn at the next sweep."""
    ends_at = time.monotonic() + _SWEPT_WITHIN_S
    return _STALE.each(stale, lambda path: _remove(path, ends_at - time.monotonic()))


class NotRemoved(OSError):  # noqa: N818 -- a state of the folder
    """Something of a scratch folder can't be removed"""


def _remove(path: Path, within_s: float) -> bool:
    why = trees.remove(path, within_s=within_s)
    if why == trees.UNFINISHED:
        return False
    if why:
        raise NotRemoved(f"{path.name}: {why}")
    logger.info("Removed a stale scratch folder", extra={"folder": path.name})
    return True


def _clear(path: Path) -> None:
    """Remove a folder whose work is done; what that takes longer for is left to the sweep."""
    if why := trees.remove(path, within_s=_CLEARED_WITHIN_S):
        logger.warning("Left a scratch folder", extra={"folder": path.name, "why": why})


def live_attempts() -> set[str]:
    """The names of the folders that belong to running attempts."""
    running = Job.objects.filter(status=Status.RUNNING).values_list("id", "attempt")
    return {f"{job_id}.{attempt}" for job_id, attempt in running}


def _is_abandoned(path: Path) -> bool:
    try:
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):  # none of ours, and nobody works in it
            return True
        raise
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(held)
