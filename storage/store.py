"""The bytes of files: kept in the ``media`` storage, each object owned by one row.

The row comes first, then the bytes, then ``published_at``; removal goes the other way round. So
whatever a crash leaves behind is a row that nobody sees, which the sweep finds by its age.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.files import File as Content
from django.core.files.storage import storages
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.quotas import reservations
from ffapi_site.lib import room, shared_folders
from ffapi_site.lib.aside import attended
from ffapi_site.lib.ids import new_id
from ffapi_site.lib.problems import Conflict
from storage import hooks
from storage.content_types import content_type_of
from storage.models import File
from storage.models.file import Origin

# Another file system, one without hard links, the kernel's protection of others' files, too many.
_NO_LINK = {errno.EXDEV, errno.ENOTSUP, errno.ENOSYS, errno.EPERM, errno.EMLINK}

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


class _Movable(Content[bytes]):
    """Content that Django's file system storage renames into place instead of copying it."""

    def __init__(self, handle: BufferedReader, source: Path) -> None:
        super().__init__(handle)
        self._source = source

    def temporary_file_path(self) -> str:
        return str(self._source)


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
    watch: Callable[[], object] = lambda: None,
) -> File:
    """Store the bytes of ``source`` under a new row that nobody sees until ``publish``.

    ``source`` is a regular file that nothing writes to any more; with ``move`` it is gone
    afterwards. The bytes are on the disk for good when this returns. Not for use inside a
    transaction: the row must be there before the bytes. ``expires_at`` defaults to the age that
    files are kept. It counts for the tenant and for ``api_key_id``, in the place of what was held
    as ``hold``. Raises what `reservations.take_storage` does, and TimeoutError of a storage that
    does not answer; nothing is kept then. ``watch`` is called at least twice a second; what it
    raises ends it likewise.
    """
    with _open_regular(source) as handle:
        sha256 = _digest(handle, watch)
        file = File(
            tenant_id=tenant_id,
            api_key_id=api_key_id,
            name=name,
            origin=origin,
            sha256=sha256,
            size_bytes=os.fstat(handle.fileno()).st_size,
            content_type=content_type or content_type_of(name),
            media=media,
            tags=list(tags),
            metadata=metadata or {},
            expires_at=expires_at or timezone.now() + timedelta(days=settings.RETENTION_DAYS),
        )
        file.storage_key = f"{tenant_id}/{sha256[:2]}/{sha256}-{file.pk}"
        with transaction.atomic(durable=True):
            file.save(force_insert=True)
            reservations.take_storage(
                tenant_id,
                api_key_id,
                file.size_bytes,
                hold=hold,
                is_begun=origin == Origin.JOB,
            )
        handle.seek(0)
        try:
            _save_attended(file, handle, source, move=move, watch=watch)
        except BaseException:
            with suppress(OperationalError, InterfaceError):  # then the sweep does it
                discard(file)
            raise
    return file


def _longest_s(size_bytes: int) -> float:
    """How long to wait for a disk or a storage: a slow one ends, one that is gone does not."""
    return _PATIENCE_S + size_bytes / _SLOWEST_BYTES_S


def _digest(content: BinaryIO, watch: Callable[[], object]) -> str:
    size_bytes = os.fstat(content.fileno()).st_size
    return attended(lambda: _digest_of(content), watch, within_s=_longest_s(size_bytes))


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
            _save(key, own, source, move=move)

    attended(
        save,
        watch,
        within_s=_longest_s(file.size_bytes),
        late=lambda _: _delete_bytes(key),
    )


def _open_regular(source: Path) -> BufferedReader:
    handle = os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
        handle.close()
        raise ValueError("only a regular file can be stored")
    return handle


def _save(key: str, handle: BufferedReader, source: Path, *, move: bool) -> None:
    local = _local_path(key)
    with ExitStack() as kept:
        if local and not (move and _is_on_disk_of(source, local)):
            size_bytes = os.fstat(handle.fileno()).st_size
            kept.enter_context(room.room_on(_existing(local))).keep(size_bytes)
        content = kept.enter_context(_content(handle, source, move=move))
        with shared_folders.as_owner_of(_media()):
            storages["media"].save(key, content)
            if local:
                _flush(local)
                _flush(local.parent)
    if move:
        source.unlink(missing_ok=True)  # a remote storage copied it


@contextmanager
def _content(handle: BufferedReader, source: Path, *, move: bool) -> Iterator[Content[bytes]]:
    """Give what is to be saved; with ``move`` where the storage's owner may take it from."""
    owner = shared_folders.other_owner(_media())
    if owner is None or not move:
        yield _Movable(handle, source) if move else Content(handle)
        return
    given = Path(str(settings.FILE_UPLOAD_TEMP_DIR)) / f"{new_id('upload')}.part"
    os.fchown(handle.fileno(), owner.pw_uid, owner.pw_gid)
    try:
        source.rename(given)
    except OSError:  # another file system
        yield Content(handle)
        return
    try:
        yield _Movable(handle, given)
    finally:
        given.unlink(missing_ok=True)


def _media() -> Path:
    return _local_path("") or Path(settings.MEDIA_ROOT)


def _is_on_disk_of(source: Path, target: Path) -> bool:
    return source.stat().st_dev == _existing(target).stat().st_dev


def _existing(path: Path) -> Path:
    """The nearest folder above ``path`` that is there already."""
    return next(each for each in path.parents if each.is_dir())


def _local_path(key: str) -> Path | None:
    try:
        return Path(storages["media"].path(key))
    except NotImplementedError:
        return None


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(file: File) -> None:
    """Make the file visible; for use inside the transaction that makes its owner's work visible.

    Raises ``Gone`` where the sweep was faster.
    """
    still_there = File.objects.filter(pk=file.pk, published_at=None, expires_at__gt=Now())
    with transaction.atomic():
        if not still_there.update(published_at=Now()):
            raise Gone(file.pk)
        _tell(AuditEvent.FILE_CREATED, file)
    file.refresh_from_db(fields=["published_at"])


def _tell(event: AuditEvent, file: File) -> None:
    told = {"origin": file.origin, "size_bytes": file.size_bytes, "sha256": file.sha256}
    audit.record(event, file.tenant_id, file.pk, details=told)


def open_content(file: File) -> BinaryIO:
    """Open the bytes for reading; raises ``Gone`` where they are missing."""
    try:
        with shared_folders.as_owner_of(_media()):
            return cast("BinaryIO", storages["media"].open(file.storage_key, "rb"))
    except FileNotFoundError as error:
        raise Gone(file.pk) from error


def place(file: File, target: Path, watch: Callable[[], object] = lambda: None) -> None:
    """Put the bytes at ``target``, which must not exist: a hard link where possible, else a copy.

    A hard link shares the stored bytes, so what works on ``target`` may only read it. A copy is
    checked against the hash. Raises ``Gone`` where the bytes are missing or not the ones stored,
    and ``NoRoom`` where the disk has none for a copy. ``watch`` is called at least twice a second;
    what it raises comes through, and the copying is left to end by itself.
    """
    attended(lambda: _place(file, target), watch, within_s=_longest_s(file.size_bytes))


def _place(file: File, target: Path) -> None:
    if not _linked(file, target):
        _copy(file, target)


def _linked(file: File, target: Path) -> bool:
    local = _local_path(file.storage_key)
    if local is None:
        return False
    try:
        _link(local, target)
    except FileNotFoundError as error:
        raise Gone(file.pk) from error
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    return True


def _link(local: Path, target: Path) -> None:
    if shared_folders.other_owner(_media()) is None:
        os.link(local, target)
        return
    with shared_folders.as_owner_of(_media()):
        opened = os.open(local, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise FileNotFoundError(errno.ENOENT, "what lies there is no file", str(local))
        # What was opened, whatever has that name by now; a descriptor has Python call linkat(2).
        os.link(f"/proc/self/fd/{opened}", target, src_dir_fd=opened)
    finally:
        os.close(opened)


def _copy(file: File, target: Path) -> None:
    with open_content(file) as content:
        room.copy(content, target)
    with target.open("rb") as copy:
        if _digest_of(copy) != file.sha256:
            target.unlink()
            raise Gone(file.pk)


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
        _tell(event, found)
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
    _delete_bytes(file.storage_key)
    with transaction.atomic():
        # Before what refers to it, which goes first: who deletes its job has them in this order.
        rows.select_for_update().values_list("pk").first()
        if rows.delete()[1].get(File._meta.label):  # noqa: SLF001 -- public, by its documentation
            reservations.give_storage(file.tenant_id, file.api_key_id, file.size_bytes)


def _delete_bytes(key: str) -> None:
    with shared_folders.as_owner_of(_media()):
        storages["media"].delete(key)
