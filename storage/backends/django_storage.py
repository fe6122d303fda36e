from __future__ import annotations

from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from django.core.files import File as Content
from django.core.files.storage import Storage


class DjangoStorage:
    """Any storage of Django's: all bytes are copied, both ways."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def save(self, key: str, content: BufferedReader, source: Path, *, move: bool) -> None:
        self._storage.save(key, Content(content))
        if move:
            source.unlink(missing_ok=True)

    def open(self, key: str) -> BinaryIO:
        return cast("BinaryIO", self._storage.open(key, "rb"))

    def link(self, key: str, target: Path) -> bool:  # noqa: ARG002 -- of the protocol
        return False

    def delete(self, key: str) -> None:
        self._storage.delete(key)
