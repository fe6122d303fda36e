"""Containers that name other files inside: QuickTime data references, playlists hidden in AVI.

FFmpeg follows some of them, depending on its version and options. Here none is taken.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_FOUND_QUICKTIME = "it refers to media in other files; send one file that holds all of it"
_FOUND_AVI = "it holds a text stream, in which playlists hide; send it without"

_IN_BOXES = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"udta", b"moof", b"traf"}
_LARGEST_MOOV_BYTES = 64 * 1024 * 1024
_MOST_BOXES = 200_000
_DEEPEST = 16
_SELF_CONTAINED = 1  # ISO/IEC 14496-12, 8.7.2: the media are in this file
_TEXT_STREAM = re.compile(rb"strh.{4}txts|GAB2\x00", re.DOTALL)
_AVI_HEAD_BYTES = 8 * 1024 * 1024


def found_in(content: BinaryIO) -> str | None:
    """Say what makes a file lead outside; None where nothing does."""
    content.seek(0)
    start = content.read(12)
    if start[:4] in {b"RIFF", b"RIFX", b"ON2 "} and start[8:11] == b"AVI":
        return _FOUND_AVI if _TEXT_STREAM.search(content.read(_AVI_HEAD_BYTES)) else None
    if start[4:8] in {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}:
        return _FOUND_QUICKTIME if any(map(_leads_outside, _movies(content))) else None
    return None


@dataclass(frozen=True)
class _Box:
    kind: bytes
    body: memoryview


def _movies(content: BinaryIO) -> Iterator[memoryview]:
    """The boxes ``moov`` and ``moof`` of a file, wherever they are; sizes that lie end the walk."""
    content.seek(0, 2)
    end, position = content.tell(), 0
    for _ in range(_MOST_BOXES):
        content.seek(position)
        head = content.read(16)
        if len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head[:8])
        begins = position + 8
        if size == 1 and len(head) == 16:
            size, begins = struct.unpack(">Q", head[8:])[0], position + 16
        ends = position + size if size else end
        if kind in {b"moov", b"moof"}:
            content.seek(begins)
            yield memoryview(content.read(max(0, min(ends - begins, _LARGEST_MOOV_BYTES))))
        if ends <= position:
            return
        position = ends


def _leads_outside(movie: memoryview) -> bool:
    left = [(movie, 0)]
    seen = 0
    while left:
        body, depth = left.pop()
        for box in _boxes(body):
            seen += 1
            if box.kind in {b"rmra", b"rmda"}:  # "reference movie": nothing but addresses
                return True
            if box.kind == b"dref" and any(map(_is_outside, _boxes(box.body[8:]))):
                return True
            if box.kind in _IN_BOXES and depth < _DEEPEST and seen < _MOST_BOXES:
                left.append((box.body, depth + 1))
    return False


def _boxes(body: memoryview) -> Iterator[_Box]:
    position = 0
    while position + 8 <= len(body):
        size, kind = struct.unpack(">I4s", body[position : position + 8])
        begins = position + 8
        if size == 1 and position + 16 <= len(body):
            size, begins = struct.unpack(">Q", body[position + 8 : position + 16])[0], position + 16
        ends = position + size if size else len(body)
        yield _Box(kind, body[begins:ends])
        if ends <= position:
            return
        position = ends


def _is_outside(reference: _Box) -> bool:
    flags = int.from_bytes(reference.body[1:4], "big")
    has_place = len(reference.body.tobytes()[4:].rstrip(b"\x00")) > 0
    return not flags & _SELF_CONTAINED and has_place
