"""Does a file end before the end that it tells of itself? Uploads and recordings break off.

FFmpeg takes what is there, mostly without a word. Only what a container says for certain counts:
a file that says nothing of its length is not said to be cut. Each reader looks at a bounded number
of places, or at so many bytes once, whatever a stranger has written there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ffapi_site.lib.aside import attended
from media_jobs.ffmpeg.demuxers import pin
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.operations.core import Source

# Of a transport stream: plain, with Blu-ray's time stamps, with broadcasters' check bytes.
_PACKET_BYTES = (188, 192, 204)
_MOST_BOXES = 100_000
_TOP_BOXES = frozenset(
    (
        *(b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"styp", b"emsg", b"prft"),
        *(b"free", b"skip", b"wide", b"uuid", b"meta", b"udta"),
    )
)
_OGG_PAGE_BYTES = 65_307
_MOST_SEGMENTS = 1000
_START_OF_SCAN = 0xDA
_PIECE_BYTES = 1 << 20
# A picture's end is at the file's, or behind its scan where something was appended.
_END_BYTES = 64 << 10
_LONGEST_SCAN_BYTES = 64 << 20
_PATIENCE_S = 60.0  # for a disk that is slow, not for one that is gone
_UNKNOWN = 0xFFFFFFFF
_SEGMENT = b"\x18\x53\x80\x67"
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def names_of_cut(folder: Path, sources: Iterable[Source], watch: Callable[[], object]) -> list[str]:
    """Give the names of those that end too early; ``watch`` is called at least twice a second.

    A file that several sources are links to is read once. Raises TimeoutError of a disk that does
    not answer, and what ``watch`` raises.
    """
    known: dict[tuple[int, int], bool] = {}
    cut = []
    for source in sources:
        path, info = folder / source.path, source.info
        found = path.stat()
        file = found.st_dev, found.st_ino
        if file not in known:
            known[file] = attended(partial(is_cut_off, path, info), watch, within_s=_PATIENCE_S)
        if known[file]:
            cut.append(source.name)
    return cut


def is_cut_off(path: Path, info: MediaInfo) -> bool:
    """Tell whether the file at ``path``, which ffprobe described as ``info``, ends too early."""
    demuxer = pin(info.format_name, info.video.codec if info.video else None) or ""
    reader = _READERS.get(demuxer.partition(",")[0])
    if reader is None:
        return False
    with path.open("rb") as file:
        return reader(file, os.fstat(file.fileno()).st_size)


def _at(file: BinaryIO, place: int, length: int) -> bytes:
    file.seek(place)
    return file.read(length)


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _riff(file: BinaryIO, size: int) -> bool:
    """WAV, AVI: the size of the whole stands in front; recorders leave 0 or all ones."""
    head = _at(file, 0, 8)
    told = int.from_bytes(head[4:8], "little")
    # AVI goes on in a second RIFF behind the first: a file that is longer is whole.
    return head.startswith(b"RIFF") and told not in {0, _UNKNOWN} and told + 8 > size + 1


def _aiff(file: BinaryIO, size: int) -> bool:
    head = _at(file, 0, 8)
    return head.startswith(b"FORM") and _number(head[4:8]) + 8 > size + 1


def _boxes(file: BinaryIO, size: int) -> bool:
    """MP4, MOV (ISO/IEC 14496-12, 4.2): a box reaches over the end, or only its head is there."""
    place = 0
    for _ in range(_MOST_BOXES):
        head = _at(file, place, 16)
        if not head:
            return False
        if len(head) < 8:
            return any(head)  # some writers pad the end with zeros
        length = _number(head[:4])
        if head[4:8] not in _TOP_BOXES or length == 0:
            return False  # what somebody appended, or a box that goes to the end
        length = _number(head[8:16]) if length == 1 else length
        if length < 8:
            return False
        if place + length > size:
            return True
        place += length
    return False


def _matroska(file: BinaryIO, size: int) -> bool:
    """Matroska, WebM (RFC 8794): the Segment says how long it is, unless it was written live."""
    head = _at(file, 0, 4096)
    place = head.find(_SEGMENT)
    told = head[place + 4 : place + 12]
    if place < 0 or not told or not told[0]:
        return False
    # An EBML size: its first bit that is set tells its bytes; it is unknown where it is all ones.
    width = 9 - told[0].bit_length()
    all_ones = (1 << 7 * width) - 1
    length = _number(told[:width]) & all_ones
    is_known = length != all_ones and len(told) >= width
    return is_known and place + 4 + width + length > size


def _ogg(file: BinaryIO, size: int) -> bool:
    """Ogg (RFC 3533): the last page reaches over the end. A missing mark of the end is common."""
    start = max(0, size - 2 * _OGG_PAGE_BYTES)
    tail = _at(file, start, 2 * _OGG_PAGE_BYTES)
    place = tail.rfind(b"OggS")
    if place < 0:
        return False
    segments = tail[place + 26 : place + 27]
    table = tail[place + 27 : place + 27 + (segments[0] if segments else 0)]
    is_whole = segments and len(table) == segments[0]
    return not is_whole or place + 27 + len(table) + sum(table) > len(tail)


def _flv(file: BinaryIO, size: int) -> bool:
    """FLV: behind each tag stands its length; at the end it leads back to a tag's beginning."""
    length = _number(_at(file, size - 4, 4)) if size > 24 else 0
    place = size - 4 - length
    if length == 0:  # left out by some writers
        return False
    return place < 9 or _number(_at(file, place + 1, 3)) + 11 != length


def _gif(file: BinaryIO, size: int) -> bool:
    """GIF ends with a semicolon; some writers add zeros or a line end."""
    return not _at(file, max(0, size - 1024), 1024).rstrip(b"\0 \r\n").endswith(b";")


def _mp3(file: BinaryIO, size: int) -> bool:
    """MP3: a Xing or Info header in the first frame tells the bytes of the sound from there on."""
    head = _at(file, 0, 10)
    place = 0
    if head.startswith(b"ID3") and len(head) == 10:
        place = 10 + sum((byte & 0x7F) << 7 * at for at, byte in enumerate(reversed(head[6:10])))
    frame = _at(file, place, 64)
    found = max(frame.find(b"Xing"), frame.find(b"Info"))
    if found < 0 or len(frame) < found + 16:
        return False
    flags = _number(frame[found + 4 : found + 8])
    at = found + 8 + (4 if flags & 1 else 0)
    return bool(flags & 2) and place + _number(frame[at : at + 4]) > size


def _asf(file: BinaryIO, size: int) -> bool:
    """WMV, WMA (ASF, 3.2): the File Properties tell the file's size; 0 in one that is live."""
    head = _at(file, 0, 65536)
    place = head.find(_ASF_FILE_PROPERTIES)
    return place >= 0 and int.from_bytes(head[place + 40 : place + 48], "little") > size


def _transport_stream(_file: BinaryIO, size: int) -> bool:
    """MPEG-TS ends inside a packet; no header says how long it should be."""
    return all(size % packet_bytes for packet_bytes in _PACKET_BYTES)


def _jpeg(file: BinaryIO, size: int) -> bool:
    """JPEG (ITU T.81, B.1): no mark of its end behind the scan; phones append films to it.

    Where neither its last bytes nor the first ones of a long scan have it, nothing is said.
    """
    place = 2
    for _ in range(_MOST_SEGMENTS):
        head = _at(file, place, 4)
        if len(head) < 4 or head[0] != 0xFF:
            return len(head) < 4
        if head[1] == _START_OF_SCAN:
            return _has_no_end(file, size, place)
        place += 2 + _number(head[2:4])
        if place > size:
            return True
    return False


def _has_no_end(file: BinaryIO, size: int, scan: int) -> bool:
    mark = b"\xff\xd9"
    if mark in _at(file, max(scan, size - _END_BYTES), _END_BYTES):
        return False
    file.seek(scan)
    last = b""
    for _ in range(0, _LONGEST_SCAN_BYTES, _PIECE_BYTES):
        piece = file.read(_PIECE_BYTES)
        if mark in last + piece:
            return False
        if not piece:
            break
        last = piece[-len(mark) + 1 :]
    return size - scan <= _LONGEST_SCAN_BYTES


def _png(file: BinaryIO, size: int) -> bool:
    """PNG (ISO/IEC 15948, 5.3): chunks to the one that says that it is the last."""
    place = 8
    for _ in range(_MOST_BOXES):
        head = _at(file, place, 8)
        if len(head) < 8:
            return True
        place += 12 + _number(head[:4])
        if place > size:
            return True
        if head[4:8] == b"IEND":
            return False
    return False


_READERS: dict[str, Callable[[BinaryIO, int], bool]] = {
    "wav": _riff,
    "avi": _riff,
    "aiff": _aiff,
    "mov": _boxes,
    "matroska": _matroska,
    "ogg": _ogg,
    "flv": _flv,
    "gif": _gif,
    "mp3": _mp3,
    "asf": _asf,
    "mpegts": _transport_stream,
    "jpeg_pipe": _jpeg,
    "png_pipe": _png,
    "webp_pipe": _riff,
}
