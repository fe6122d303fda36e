from __future__ import annotations

from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Protocol


class Backend(Protocol):
    """What `storage.store` asks of a place for bytes; a missing object is `FileNotFoundError`."""

    def save(self, key: str, content: BufferedReader, source: Path, *, move: bool) -> None:
        """Keep the bytes for good; with ``move`` nothing is left at ``source``.

        ``content`` is ``source``, opened: whatever has that name by now, it is what is kept.
        Raises ``NoRoom`` where the disk has none for a copy.
        """

    def open(self, key: str) -> BinaryIO: ...

    def link(self, key: str, target: Path) -> bool:
        """Give the bytes the further name ``target``; tell whether that could be done.

        Who reads them by that name may not write to them.
        """

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no mistake."""
