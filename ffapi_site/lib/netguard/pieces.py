"""A download of parts of a file: its first bytes, then any others of the same version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Final

import httpcore

from ffapi_site.lib.netguard.transfer import Progress, Transfer, changed, content_range

FIRST_BYTES: Final = 256 << 10
"""What is asked for while it is not known how much there is: a file's head."""


@dataclass(frozen=True)
class Version:
    """One version of a file, told from all others by its validator (RFC 9110, 8.8)."""

    size_bytes: int
    validator: str


class NotInPieces(Exception):  # noqa: N818 -- what the server does
    """The server gives a part, but not so that it fits the others for sure."""


class Beginning(Transfer):
    """Asks for the first bytes alone, and takes the whole where a server gives that."""

    version: Version | None = None
    """Of which the rest can be had in pieces; None where it has all come."""

    def resuming(self) -> dict[str, str]:
        return super().resuming() or {"Range": f"bytes=0-{FIRST_BYTES - 1}"}

    def _accept(self, response: httpcore.Response) -> None:
        if response.status == 416:  # of an empty file there is no first byte
            raise NotInPieces
        if response.status != 206 or self.can_resume:
            super()._accept(response)
            return
        self._begin(response)
        first, last, total = content_range(response)
        is_told = first == "0" and total.isdigit() and self._validator is not None
        if not is_told or int(last) + 1 != min(FIRST_BYTES, int(total)):
            raise NotInPieces
        self._expect(int(total))
        self._end = int(last) + 1
        self.version = Version(int(total), str(self._validator))

    def _begin(self, response: httpcore.Response) -> None:
        super()._begin(response)
        self._end = self.version = None


class Piece(Transfer):
    """The bytes of ``version`` from ``begin`` to before ``end``, written to that place."""

    can_resume = True

    def __init__(
        self, to: BinaryIO, version: Version, begin: int, end: int, on_progress: Progress | None
    ) -> None:
        super().__init__(to, version.size_bytes, on_progress)
        self.received, self._end = begin, end
        self.announced, self._validator = version.size_bytes, version.validator
        to.seek(begin)

    def _accept(self, response: httpcore.Response) -> None:
        if response.status == 200:
            raise changed()
        super()._accept(response)
