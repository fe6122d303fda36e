"""The private folders in which attempts work."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from django.conf import settings

from media_jobs.models import Job, Status
from media_jobs.worker import sandbox

logger = logging.getLogger(__name__)


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """Make the scratch folder ``name`` with its in/, out/ and tmp/; it is gone afterwards."""
    settings.SCRATCH_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    path: Path = settings.SCRATCH_DIR / name
    path.mkdir(mode=0o700)
    try:
        sandbox.prepare(path)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def of_attempt(job: Job) -> str:
    return f"{job.id}.{job.attempt}"


@contextmanager
def passing(purpose: str) -> Iterator[Path]:
    """Make a scratch folder that belongs to no job: a probe's, a request's."""
    settings.SCRATCH_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = Path(mkdtemp(prefix=f"{purpose}.", dir=settings.SCRATCH_DIR))
    try:
        sandbox.prepare(path)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sweep() -> int:
    """Remove the folders of attempts that no longer run; give their number."""
    # First the folders, then the rows: what was claimed in between has no folder here.
    found = list(settings.SCRATCH_DIR.glob("job_*.*"))
    if not found:
        return 0
    running = Job.objects.filter(status=Status.RUNNING)
    live = {f"{job_id}.{attempt}" for job_id, attempt in running.values_list("id", "attempt")}
    stale = [path for path in found if path.name not in live]
    for path in stale:
        logger.info("Removed a stale scratch folder", extra={"folder": path.name})
        shutil.rmtree(path, ignore_errors=True)
    return len(stale)
