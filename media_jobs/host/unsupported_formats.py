"""Kinds of files that people send and that can't be read here, told by their first bytes.

FFmpeg says "Invalid data found" of them, or takes them for something else: a picture for a film of
no length, an animation for nothing at all.
"""

from __future__ import annotations

import re
from pathlib import Path

_HEAD_BYTES = 1 << 20
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
    for magic, said in _MAGIC:
        if head.startswith(magic):
            return said
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X":
        # Of the extended header's flags the second lowest bit says that it moves.
        moves = len(head) > 20 and head[20] & 0b10
        return "animated WebP is not read here; send GIF, WebM or MP4" if moves else None
    if head[4:8] != b"ftyp":
        return None
    encrypted = _ENCRYPTED if _ENCRYPTED_ENTRY.search(head) else None
    return next((said for brands, said in _BRANDS if head[8:12] in brands), encrypted)
