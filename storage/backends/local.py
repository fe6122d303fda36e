"""Bytes in a folder of this host, which the web server's user may own."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings
from django.core.files import File as Content
from django.core.files.storage import Storage

from ffapi_site.lib import room, shared_folders
from ffapi_site.lib.ids import new_id

# Another file system, one without hard links, the kernel's protection of others' files, too many.
_NO_LINK = {errno.EXDEV, errno.ENOTSUP, errno.ENOSYS, errno.EPERM, errno.EMLINK}


class _Movable(Content[bytes]):
    """Content that Django's file system storage renames into place instead of copying it."""

    def __init__(self, handle: BufferedReader, source: Path) -> None:
        super().__init__(handle)
        self._source = source

    def temporary_file_path(self) -> str:
        return str(self._source)


class LocalDisk:
    """A storage of Django's whose objects have paths: what comes is moved, what goes is linked."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._root = Path(storage.path(""))

    def save(self, key: str, content: BufferedReader, source: Path, *, move: bool) -> None:
        path = self._path(key)
        folder = next(above for above in path.parents if above.is_dir())  # that is there already
        with ExitStack() as kept:
            if not move or source.stat().st_dev != folder.stat().st_dev:
                size_bytes = os.fstat(content.fileno()).st_size
                kept.enter_context(room.room_on(folder)).keep(size_bytes)
            given = kept.enter_context(self._given(content, source, move=move))
            with shared_folders.as_owner_of(self._root):
                self._storage.save(key, given)
                # A new folder has its name in the one above. Whose save made it flushes both, and
                # another that finds it a moment before does not: that is borne.
                for each in (path, *path.parents[: path.parents.index(folder) + 1]):
                    _flush(each)
        if move:
            source.unlink(missing_ok=True)  # where it was copied to another disk

    def open(self, key: str) -> BinaryIO:
        with shared_folders.as_owner_of(self._root):
            return cast("BinaryIO", self._storage.open(key, "rb"))

    def link(self, key: str, target: Path) -> bool:
        try:
            self._link(self._path(key), target)
        except OSError as error:
            if error.errno in _NO_LINK:
                return False
            raise
        return True

    def delete(self, key: str) -> None:
        with shared_folders.as_owner_of(self._root):
            self._storage.delete(key)

    def _path(self, key: str) -> Path:
        return Path(self._storage.path(key))

    @contextmanager
    def _given(
        self, content: BufferedReader, source: Path, *, move: bool
    ) -> Iterator[Content[bytes]]:
        """Give what is to be saved; with ``move`` where the folder's owner may take it from."""
        owner = shared_folders.other_owner(self._root)
        if owner is None or not move:
            yield _Movable(content, source) if move else Content(content)
            return
        passed_on = Path(str(settings.FILE_UPLOAD_TEMP_DIR)) / f"{new_id('upload')}.part"
        os.fchown(content.fileno(), owner.pw_uid, owner.pw_gid)
        try:
            source.rename(passed_on)
        except OSError:  # another file system
            yield Content(content)
            return
        try:
            yield _Movable(content, passed_on)
        finally:
            passed_on.unlink(missing_ok=True)

    def _link(self, path: Path, target: Path) -> None:
        if shared_folders.other_owner(self._root) is None:
            os.link(path, target)
            return
        with shared_folders.as_owner_of(self._root):
            opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise FileNotFoundError(errno.ENOENT, "what lies there is no file", str(path))
            # What was opened, whatever has that name by now; a descriptor has Python call
            # linkat(2).
            os.link(f"/proc/self/fd/{opened}", target, src_dir_fd=opened)
        finally:
            os.close(opened)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
