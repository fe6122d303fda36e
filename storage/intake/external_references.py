"""Containers that name other files inside: QuickTime data references, playlists hidden in AVI.

FFmpeg follows some of them, depending on its version and options. Here none is taken.

Time grows with the number of boxes, of which there may be one in every eight bytes: all of them
are counted, the caller is told that it goes on, and there is an end. Nothing is kept of them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

_FOUND_QUICKTIME = "it refers to media in other files; send one file that holds all of it"
_FOUND_AVI = "it holds a text stream, in which playlists hide; send it without"
_FOUND_TOO_MANY = "it is made of more boxes than are looked through"

_IN_BOXES = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"udta", b"moof", b"traf"}
_DEEPEST = 16
# A film of ten hours in fragments of a fifth of a second has two million.
_MOST_BOXES = 3_000_000
_BOXES_A_SIGN = 20_000  # some hundredths of a second
_SELF_CONTAINED = 1  # ISO/IEC 14496-12, 8.7.2: the media are in this file
_REFERENCE_BYTES = 4096  # of a data reference: whether anything is named, not what
# The header of such a stream; without one FFmpeg reads no text in an AVI.
_TEXT_STREAM = re.compile(rb"strh.{4}txts", re.DOTALL)
_AVI_HEAD_BYTES = 8 * 1024 * 1024


def found_in(content: BinaryIO, on_wait: Callable[[], object] = lambda: None) -> str | None:
    """Say what makes a file lead outside; None where nothing does.

    ``on_wait`` is called several times a second.
    """
    content.seek(0)
    start = content.read(12)
    if start[:4] in {b"RIFF", b"RIFX", b"ON2 "} and start[8:11] == b"AVI":
        return _FOUND_AVI if _TEXT_STREAM.search(content.read(_AVI_HEAD_BYTES)) else None
    if start[4:8] not in {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}:
        return None
    try:
        return _FOUND_QUICKTIME if _Walk(content, on_wait).leads_outside() else None
    except _TooMany:
        return _FOUND_TOO_MANY


class _TooMany(Exception):  # noqa: N818 -- a verdict
    """The file has more boxes than are looked through"""


class _Box(NamedTuple):
    kind: bytes
    begins: int
    ends: int


@dataclass
class _Walk:
    """Goes from box to box of one file, never back."""

    content: BinaryIO
    on_wait: Callable[[], object]
    size: int = field(init=False)
    seen: int = 0

    def __post_init__(self) -> None:
        self.size = self.content.seek(0, 2)

    def leads_outside(self) -> bool:
        return self._has_pointer(_Box(b"", 0, self.size), 0)

    def _has_pointer(self, outer: _Box, depth: int) -> bool:
        for box in self._boxes(outer):
            if box.kind in {b"rmra", b"rmda"}:  # "reference movie": nothing but addresses
                return True
            if box.kind == b"dref" and any(map(self._is_outside, self._references(box))):
                return True
            goes_in = box.kind in _IN_BOXES and depth < _DEEPEST
            if goes_in and self._has_pointer(box, depth + 1):
                return True
        return False

    def _boxes(self, outer: _Box) -> Iterator[_Box]:
        """The boxes in a box; a size that lies ends them."""
        position = outer.begins
        while position + 8 <= outer.ends:
            self._count()
            head = self._read(position, 16)
            if len(head) < 8:
                return
            size, kind = struct.unpack(">I4s", head[:8])
            begins = position + 8
            if size == 1 and len(head) == 16:
                size, begins = struct.unpack(">Q", head[8:])[0], position + 16
            ends = position + size if size else outer.ends
            yield _Box(kind, begins, min(ends, outer.ends))
            if ends <= position:
                return
            position = ends

    def _references(self, dref: _Box) -> Iterator[_Box]:
        return self._boxes(_Box(b"", dref.begins + 8, dref.ends))  # after its version and count

    def _is_outside(self, reference: _Box) -> bool:
        room = min(reference.ends - reference.begins, _REFERENCE_BYTES)
        body = self._read(reference.begins, max(0, room))
        flags = int.from_bytes(body[1:4], "big")
        return not flags & _SELF_CONTAINED and len(body[4:].rstrip(b"\x00")) > 0

    def _read(self, position: int, room: int) -> bytes:
        self.content.seek(position)
        return self.content.read(room)

    def _count(self) -> None:
        self.seen += 1
        if self.seen > _MOST_BOXES:
            raise _TooMany
        if self.seen % _BOXES_A_SIGN == 0:
            self.on_wait()
