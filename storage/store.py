"""The bytes of files: kept in the ``media`` storage, each object owned by one row.

The row comes first, then the bytes, then ``published_at``; removal goes the other way round. So
whatever a crash leaves behind is a row that nobody sees, which the sweep finds by its age.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.quotas import reservations
from ffapi_site.lib import room
from ffapi_site.lib.aside import attended
from ffapi_site.lib.problems import Conflict
from storage import backends, hooks
from storage.content_types import content_type_of
from storage.models import File
from storage.models.file import Origin

_PATIENCE_S = 60.0
_SLOWEST_BYTES_S = 1 << 20
# How long to wait for a transaction that may be showing a file just now.
_IN_DOUBT_MS = 5000


class InUse(Conflict):
    """Unfinished work needs the file"""

    code = "file_in_use"

    def __init__(self) -> None:
        super().__init__("a job that has not ended reads this file; cancel it or wait for its end")


class Gone(Exception):  # noqa: N818 -- a state, not a mistake
    """The row was removed meanwhile, or its bytes are not in the storage."""


def add(  # noqa: PLR0913 -- what a file is said to be, by name
    tenant_id: str,
    source: Path,
    *,
    name: str,
    origin: str,
    content_type: str = "",
    media: dict[str, Any] | None = None,
    tags: Iterable[str] = (),
    metadata: dict[str, Any] | None = None,
    expires_at: datetime | None = None,
    move: bool = True,
    api_key_id: str | None = None,
    hold: str = "",
    sha256: str = "",
    watch: Callable[[], object] = lambda: None,
) -> File:
    """Store the bytes of ``source`` under a new row that nobody sees until ``publish``.

    ``source`` is a regular file that nothing writes to any more; with ``move`` it is gone
    afterwards. The bytes are on the disk for good when this returns. Not for use inside a
    transaction: the row must be there before the bytes. ``expires_at`` defaults to the age that
    files are kept. It counts for the tenant and for ``api_key_id``, in the place of ``hold``.
    ``sha256`` is that of the bytes where they were hashed as they came; else they are read for it.
    Raises what `reservations.take_storage` does, and TimeoutError of a storage that is silent;
    nothing is kept then. ``watch`` is called at least twice a second; what it raises ends it too.
    """
    with _open_regular(source) as handle:
        size_bytes = os.fstat(handle.fileno()).st_size
        if not sha256:
            sha256 = attended(lambda: _digest_of(handle), watch, within_s=_longest_s(size_bytes))
        file = File(
            tenant_id=tenant_id,
            api_key_id=api_key_id,
            name=name,
            origin=origin,
            sha256=sha256,
            size_bytes=size_bytes,
            content_type=content_type or content_type_of(name),
            media=media,
            tags=list(tags),
            metadata=metadata or {},
            expires_at=expires_at or timezone.now() + timedelta(days=settings.RETENTION_DAYS),
        )
        file.storage_key = f"{tenant_id}/{sha256[:2]}/{sha256}-{file.pk}"
        _count(file, hold)
        handle.seek(0)
        try:
            _save_attended(file, handle, source, move=move, watch=watch)
        except BaseException:
            with suppress(OperationalError, InterfaceError):  # then the sweep does it
                discard(file)
            raise
    return file


def _count(file: File, hold: str) -> None:
    """Write the row, and count its bytes for the tenant and the key."""
    is_begun = file.origin == Origin.JOB
    with transaction.atomic(durable=True):
        file.save(force_insert=True)
        reservations.take_storage(
            file.tenant_id, file.api_key_id, file.size_bytes, hold=hold, is_begun=is_begun
        )


def _longest_s(size_bytes: int) -> float:
    """How long to wait for a disk or a storage: a slow one ends, one that is gone does not."""
    return _PATIENCE_S + size_bytes / _SLOWEST_BYTES_S


def _digest_of(content: BinaryIO) -> str:
    return hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]


def _save_attended(
    file: File,
    handle: BufferedReader,
    source: Path,
    *,
    move: bool,
    watch: Callable[[], object],
) -> None:
    """Save the bytes; what comes to its end only after it was given up is removed then."""
    key, own = file.storage_key, os.fdopen(os.dup(handle.fileno()), "rb")

    def save() -> None:
        with own:
            backends.media().save(key, own, source, move=move)

    attended(
        save,
        watch,
        within_s=_longest_s(file.size_bytes),
        late=lambda _: backends.media().delete(key),
    )


def _open_regular(source: Path) -> BufferedReader:
    handle = os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
        handle.close()
        raise ValueError("only a regular file can be stored")
    return handle


def publish(file: File) -> None:
    """Make the file visible; for use inside the transaction that makes its owner's work visible.

    Raises ``Gone`` where the sweep was faster.
    """
    still_there = File.objects.filter(pk=file.pk, published_at=None, expires_at__gt=Now())
    with transaction.atomic():
        if not still_there.update(published_at=Now()):
            raise Gone(file.pk)
        _audit(AuditEvent.FILE_CREATED, file)
    file.refresh_from_db(fields=["published_at"])


def _audit(event: AuditEvent, file: File) -> None:
    details = {"origin": file.origin, "size_bytes": file.size_bytes, "sha256": file.sha256}
    audit.record(event, file.tenant_id, file.pk, details=details)


def open_content(file: File) -> BinaryIO:
    """Open the bytes for reading; raises ``Gone`` where they are missing."""
    try:
        return backends.media().open(file.storage_key)
    except FileNotFoundError as error:
        raise Gone(file.pk) from error


def place(file: File, target: Path, watch: Callable[[], object] = lambda: None) -> None:
    """Put the bytes at ``target``, which must not exist: a hard link where possible, else a copy.

    A hard link shares the stored bytes, so what works on ``target`` may only read it. A copy is
    checked against the hash. Raises ``Gone`` where the bytes are missing or not the ones stored,
    and ``NoRoom`` where the disk has none for a copy. ``watch`` is called at least twice a second;
    what it raises comes through, and the copying is left to end by itself.
    """

    def put() -> None:
        try:
            is_linked = backends.media().link(file.storage_key, target)
        except FileNotFoundError as error:
            raise Gone(file.pk) from error
        if is_linked:
            return
        with open_content(file) as content:
            room.copy(content, target)
        with target.open("rb") as copy:
            if _digest_of(copy) != file.sha256:
                target.unlink()
                raise Gone(file.pk)

    attended(put, watch, within_s=_longest_s(file.size_bytes))


def discard(file: File) -> bool:
    """Remove what was stored and never shown; tell whether it went.

    What is visible stays: whoever gives up work need not know whether a COMMIT of theirs whose
    answer was lost has shown it. Where such a one is still on its way, this waits for its end for
    a moment, and raises OperationalError; the sweep removes the file then, if it is to go.
    """
    rows = File.objects.filter(pk=file.pk)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = %s", [_IN_DOUBT_MS])
        locked = rows.select_for_update().values_list("published_at").first()
        if locked != (None,):
            return False
        rows.update(expires_at=Now())
    _delete(file)
    return True


def hide(file: File, *, event: AuditEvent | None = AuditEvent.FILE_DELETED) -> None:
    """Take the file out of everybody's sight; raises ``InUse`` where it is needed.

    Part of the caller's transaction, after which the file is to be removed; where a crash comes
    between, the sweep does it.
    """
    rows = File.objects.filter(pk=file.pk)
    found = rows.select_for_update().first()
    if hooks.in_use(rows).exists():
        raise InUse
    if event and found and found.published_at:
        _audit(event, found)
    # Past its time: from here on the sweep finishes what a crash interrupts.
    rows.update(published_at=None, expires_at=Now())


def remove(file: File, *, event: AuditEvent | None = AuditEvent.FILE_DELETED) -> None:
    """Hide the file, then delete its bytes, then its row; raises ``InUse`` where it is needed.

    ``event`` is what the audit log tells, of a file that was to be seen; None where it is part of
    something else that is told.
    Not for use inside a transaction: a rollback would not bring the bytes back.
    """
    with transaction.atomic(durable=True):
        hide(file, event=event)
    _delete(file)


def _delete(file: File) -> None:
    """Delete the bytes, then the row of a file that is hidden and past its time."""
    rows = File.objects.filter(pk=file.pk)
    backends.media().delete(file.storage_key)
    with transaction.atomic():
        # Before what refers to it, which goes first: who deletes its job has them in this order.
        rows.select_for_update().values_list("pk").first()
        if rows.delete()[1].get(File._meta.label):  # noqa: SLF001 -- public, by its documentation
            reservations.give_storage(file.tenant_id, file.api_key_id, file.size_bytes)
