"""Small files that ask for much: memory, time, depth or streams. Made here, byte by byte."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable

GIGABYTE = 1 << 30


def _deflated_zeros(size_bytes: int) -> bytes:
    """A zlib stream (RFC 1950) of zeros: one piece of them is packed, and then repeated."""
    packer = zlib.compressobj(9, wbits=-15)
    piece = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, wbits=-15)
    rest = end.compress(bytes(size_bytes % (1 << 20))) + end.flush()
    adler32 = (size_bytes % 65521) << 16 | 1
    return b"\x78\xda" + piece * (size_bytes >> 20) + rest + struct.pack(">I", adler32)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    checked = kind + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))


def png(width: int, height: int, rows: bytes = b"", extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", header)
        + extra
        + _png_chunk(b"IDAT", rows or zlib.compress(b""))
        + _png_chunk(b"IEND", b"")
    )


def small_png_with(kind: bytes, keyword: bytes) -> bytes:
    """A picture of 16 x 16 with a text that unpacks to a gigabyte."""
    rows = zlib.compress((b"\0" + bytes(48)) * 16)
    return png(16, 16, rows, _png_chunk(kind, keyword + _deflated_zeros(GIGABYTE)))


def gif(width: int, height: int, frames: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    shown = b"\x21\xf9\x04\x00\x0a\x00\x00\x00"
    place = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
    return head + (shown + place + b"\x02\x02\x44\x01\x00") * frames + b";"


def y4m(width: int, height: int) -> bytes:
    return f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\nFRAME\n".encode() + bytes(1000)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


FTYP = box(b"ftyp", b"isom\0\0\2\0isomiso2")


def deep_boxes(depth: int) -> bytes:
    body = b""
    for level in range(depth):
        body = box((b"moov", b"trak", b"udta")[level % 3], body)
    return FTYP + body


def _sound_track(number: int, reference: bytes) -> bytes:
    tkhd = box(b"tkhd", struct.pack(">IIIII", 7, 0, 0, number, 0) + bytes(68))
    mdhd = box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 48000, 48000, 0, 0))
    hdlr = box(b"hdlr", bytes(8) + b"soun" + bytes(13))
    sound = bytes(6) + struct.pack(">HHHIHHHHI", 1, 0, 0, 0, 1, 16, 0, 0, 48000 << 16)
    stbl = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1) + box(b"sowt", sound))
        + box(b"stts", struct.pack(">IIII", 0, 1, 1, 48000))
        + box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1))
        + box(b"stsz", struct.pack(">III", 0, 2, 1))
        + box(b"stco", struct.pack(">III", 0, 1, 40)),
    )
    dinf = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1) + reference))
    return box(b"trak", tkhd + box(b"mdia", mdhd + hdlr + box(b"minf", dinf + stbl)))


IN_THIS_FILE = box(b"url ", struct.pack(">I", 1))


def sounds(count: int, reference: bytes = IN_THIS_FILE) -> bytes:
    """An MP4 of ``count`` tracks, each of one sample."""
    mvhd = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 1000) + bytes(80))
    tracks = b"".join(_sound_track(number + 1, reference) for number in range(count))
    return FTYP + box(b"mdat", bytes(64)) + box(b"moov", mvhd + tracks)


def outside(target: str, kind: bytes = b"url ") -> bytes:
    """A data reference (ISO/IEC 14496-12, 8.7.2) to another file."""
    return box(kind, struct.pack(">I", 0) + target.encode() + b"\0")


def element(name: bytes, body: bytes) -> bytes:
    return name + b"\x01" + len(body).to_bytes(7, "big") + body


EBML = element(b"\x1a\x45\xdf\xa3", element(b"\x42\x82", b"matroska"))


def deep_elements(name: bytes, around: tuple[bytes, ...], depth: int) -> bytes:
    body = b""
    for each in (*([name] * depth), *reversed(around)):
        body = element(each, body)
    return EBML + element(b"\x18\x53\x80\x67", body)


def many_streams(count: int) -> bytes:
    tracks = b"".join(
        element(
            b"\xae",
            element(b"\xd7", struct.pack(">I", number + 1))
            + element(b"\x73\xc5", struct.pack(">I", number + 1))
            + element(b"\x83", b"\2")
            + element(b"\x86", b"A_PCM/INT/LIT")
            + element(b"\xe1", element(b"\xb5", struct.pack(">d", 48000.0))),
        )
        for number in range(count)
    )
    info = element(b"\x15\x49\xa9\x66", element(b"\x2a\xd7\xb1", struct.pack(">I", 1_000_000)))
    block = element(b"\xa3", b"\x81\0\0\x80" + bytes(96))
    cluster = element(b"\x1f\x43\xb6\x75", element(b"\xe7", b"\0") + block)
    return EBML + element(
        b"\x18\x53\x80\x67", info + element(b"\x16\x54\xae\x6b", tracks) + cluster
    )


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def avi_with_playlist(playlist: bytes) -> bytes:
    """A text stream with a GAB2 header, behind which FFmpeg once opened what it found."""
    header = b"txts" + bytes(52)
    strl = chunk(b"LIST", b"strl" + chunk(b"strh", header) + chunk(b"strf", b""))
    hdrl = chunk(b"LIST", b"hdrl" + chunk(b"avih", bytes(56)) + strl)
    hidden = b"GAB2\0\2\0" + bytes(8) + b"\4\0" + playlist
    movi = chunk(b"LIST", b"movi" + chunk(b"00tx", hidden))
    return chunk(b"RIFF", b"AVI " + hdrl + movi)


def zipped() -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("film.mp4", bytes(64 << 20))
    return whole.getvalue()


def gzipped() -> bytes:
    return gzip.compress(bytes(64 << 20))


BOMBS: dict[str, tuple[str, Callable[[], bytes], set[str]]] = {
    "png of 30000 x 30000": ("a.png", lambda: png(30_000, 30_000), {"too_many_pixels"}),
    "png of 15000 x 15000": ("a.png", lambda: png(15_000, 15_000), {"too_many_pixels"}),
    "png of 30000 x 30000, whole": (
        "a.png",
        lambda: png(30_000, 30_000, _deflated_zeros(30_000 * 90_001)),
        {"too_many_pixels"},
    ),
    "gif of 65535 x 65535": ("a.gif", lambda: gif(65_535, 65_535, 20), {"too_many_pixels"}),
    "gif of 12000 x 12000": ("a.gif", lambda: gif(12_000, 12_000, 20), {"too_many_pixels"}),
    "y4m of 60000 x 60000": ("a.y4m", lambda: y4m(60_000, 60_000), {"too_many_pixels"}),
    "y4m of 12000 x 12000": ("a.y4m", lambda: y4m(12_000, 12_000), {"too_many_pixels"}),
    "mkv of 200 streams": ("a.mkv", lambda: many_streams(200), {"too_many_streams"}),
    "mkv of 5000 streams": ("a.mkv", lambda: many_streams(5_000), {"too_many_streams"}),
    "mp4 of 200 streams": ("a.mp4", lambda: sounds(200), {"too_many_streams"}),
    "mp4 of 5000 streams": ("a.mp4", lambda: sounds(5_000), {"too_many_streams"}),
    "boxes in boxes": ("a.mp4", lambda: deep_boxes(20_000), {"media_unreadable"}),
    "chapters in chapters": (
        "a.mkv",
        lambda: deep_elements(b"\xb6", (b"\x10\x43\xa7\x70", b"\x45\xb9"), 20_000),
        {"media_unreadable"},
    ),
    "tags in tags": (
        "a.mkv",
        lambda: deep_elements(b"\x67\xc8", (b"\x12\x54\xc3\x67", b"\x73\x73"), 20_000),
        {"media_unreadable"},
    ),
    "gzip": ("a.mp4", gzipped, {"file_type_refused"}),
    "zip": ("a.mp4", zipped, {"file_type_refused"}),
    "svgz": ("a.svg", gzipped, {"file_type_refused"}),
}
"""Name, maker, and what it is refused for."""

HARMLESS: dict[str, Callable[[], bytes]] = {
    "iTXt": lambda: small_png_with(b"iTXt", b"k\0\1\0\0\0"),
    "zTXt": lambda: small_png_with(b"zTXt", b"k\0\0"),
    "iCCP": lambda: small_png_with(b"iCCP", b"k\0\0"),
}
"""Small pictures with something that nothing here unpacks: taken, and at no cost."""
