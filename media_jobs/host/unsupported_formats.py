"""Kinds of files that people send and that can't be read here, told by their first bytes.

FFmpeg says "Invalid data found" of them, or takes them for something else: a picture for a film of
no length, an animation for nothing at all.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

_HEAD_BYTES = 4096
_INDEX_BYTES = 1 << 20
_MOST_BOXES = 1000
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"nut/multimedia container\0", "NUT files are not read here; send Matroska or MP4"),
    (b"tBaK", "TAK sound is not read here; send FLAC or WAV"),
    (b"DSD ", "DSF sound is not read here; send FLAC or WAV"),
    (b"FRM8", "DFF sound is not read here; send FLAC or WAV"),
)
_BRANDS: tuple[tuple[tuple[bytes, ...], str], ...] = (
    ((b"avis",), "animated AVIF is not read here; send WebM, MP4 or GIF"),
    ((b"avif",), "AVIF pictures are not read here; send JPEG, PNG or WebP"),
    (
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
        "HEIC pictures are not read here; send JPEG, PNG or WebP",
    ),
)
_ENCRYPTED = "it is encrypted (ISO Common Encryption); send it decrypted"
# The first of a list of sample descriptions is of something encrypted, whatever it was. Before it
# stand version and flags, the number of entries and its size.
_ENCRYPTED_ENTRY = re.compile(rb"stsd.{12}enc[va]", re.DOTALL)


def why(path: Path) -> str | None:
    """Say what the file at ``path`` is and what to send instead; None of any other file."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        index = _index(file) if head[4:8] == b"ftyp" else b""
    for magic, said in _MAGIC:
        if head.startswith(magic):
            return said
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X":
        # Of the extended header's flags the second lowest bit says that it moves.
        moves = len(head) > 20 and head[20] & 0b10
        return "animated WebP is not read here; send GIF, WebM or MP4" if moves else None
    if head[4:8] != b"ftyp":
        return None
    encrypted = _ENCRYPTED if _ENCRYPTED_ENTRY.search(index) else None
    return next((said for brands, said in _BRANDS if head[8:12] in brands), encrypted)


def _index(file: BinaryIO) -> bytes:
    """The beginning of the box that describes a film's streams, wherever it lies."""
    at, end = 0, file.seek(0, 2)
    for _ in range(_MOST_BOXES):
        if at + 16 > end:
            break
        file.seek(at)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        size = int.from_bytes(head[8:], "big") if size == 1 else size
        if head[4:8] == b"moov":
            # Of no size is one that ends with the file.
            return head + file.read(min(size or _INDEX_BYTES, _INDEX_BYTES))
        if size < 8:
            break
        at += size
    return b""
