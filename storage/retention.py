from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.events import Event
from storage import hooks, store
from storage.models import File

logger = logging.getLogger(__name__)

_LEFTOVER_AFTER = timedelta(hours=24)
_STALE_UPLOAD_S = 10 * 60  # a living one is written to at least once a minute
_BATCH = 500


@dataclass(frozen=True)
class Swept:
    """What one sweep removed; ``kept_in_use`` are those past their time that work still needs."""

    expired: int = 0
    leftovers: int = 0
    uploads: int = 0
    kept_in_use: int = 0


def sweep() -> Swept:
    """Remove expired files, rows that were never published, and the remains of broken uploads."""
    past_time = File.objects.filter(expires_at__lte=Now())
    never_published = File.objects.filter(
        published_at=None, created_at__lte=Now() - _LEFTOVER_AFTER
    ).exclude(pk__in=past_time)
    expired, needed = _remove(past_time)
    leftovers, also_needed = _remove(never_published)
    swept = Swept(expired, leftovers, _remove_stale_uploads(), needed + also_needed)
    logger.info("files swept", extra={"action": "files.sweep", **vars(swept)})
    return swept


def _remove(files: QuerySet[File]) -> tuple[int, int]:
    needed = hooks.in_use(files)
    removed = 0
    for file in files.exclude(pk__in=needed.values("pk")).order_by("pk")[:_BATCH]:
        try:
            store.remove(file, event=Event.FILE_EXPIRED)
        except store.InUse:  # since a moment ago
            continue
        removed += 1
    return removed, needed.count()


def _remove_stale_uploads() -> int:
    stale = [
        path
        for path in Path(str(settings.FILE_UPLOAD_TEMP_DIR)).glob("upload_*.part")
        if path.lstat().st_mtime < time.time() - _STALE_UPLOAD_S
    ]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)
