from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.audit_events import AuditEvent
from ffapi_site.lib.chores import Items
from storage import hooks, store
from storage.models import File

logger = logging.getLogger(__name__)

_LEFTOVER_AFTER = timedelta(hours=24)
_STALE_UPLOAD_S = 10 * 60  # a living one is written to at least once a minute
_BATCH = 500


# In the row, and not only here: what one slot could not remove another would try all the same.
_AGAIN_AFTER = timedelta(hours=1)
_FILES = Items("files", rest_s=0)
_UPLOADS = Items("uploads", rest_s=_AGAIN_AFTER.total_seconds())


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
    parts = Path(str(settings.FILE_UPLOAD_TEMP_DIR)).glob("upload_*.part")
    uploads = _UPLOADS.each(parts, _remove_if_stale)
    swept = Swept(expired, leftovers, uploads, needed + also_needed)
    logger.info("files swept", extra={"action": "files.sweep", **vars(swept)})
    return swept


def _remove(files: QuerySet[File]) -> tuple[int, int]:
    needed = hooks.in_use(files)
    due = files.exclude(removal_failed_at__gt=Now() - _AGAIN_AFTER)
    # What is told of a medium may be long: one at a time.
    some = due.exclude(pk__in=needed.values("pk")).order_by("pk").values_list("pk", flat=True)
    removed = _FILES.each(
        some[:_BATCH],
        _remove_one,
        on_failure=lambda pk: File.objects.filter(pk=pk).update(removal_failed_at=Now()),
    )
    return removed, needed.count()


def _remove_one(file_id: str) -> bool:
    try:
        store.remove(File.objects.get(pk=file_id), event=AuditEvent.FILE_EXPIRED)
    except (store.InUse, File.DoesNotExist):  # since a moment ago
        return False
    return True


def not_removed() -> int:
    """How many files past their time are still there, since their bytes can't be removed."""
    return File.objects.filter(removal_failed_at__isnull=False).count()


def _remove_if_stale(path: Path) -> bool:
    try:
        if path.lstat().st_mtime >= time.time() - _STALE_UPLOAD_S:
            return False
        path.unlink()
    except FileNotFoundError:  # it has come to its end, or another slot was faster
        return False
    return True
