"""Real films in real containers, with something in them that leads elsewhere."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.attacks.canaries import Canaries
from tests.attacks.hostile_files import OPEN, HostileFile, filled, segment
from tests.harness.media import FFMPEG, X264, coloured

_CONTAINERS_OF_BOXES = {b"moov", b"trak", b"mdia", b"minf", b"dinf"}


@cache
def film(name: str, *more: str) -> bytes:
    """A short film as FFmpeg writes it into ``name``."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        subprocess.run([*FFMPEG, *coloured("yellow", "64x64"), *more, path], check=True)
        return path.read_bytes()


def mov() -> bytes:
    return film("film.mov", *X264)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def replaced(boxes: bytes, kind: bytes, new: bytes) -> bytes:
    """Put ``new`` in the place of every box of that kind, and make those around it fit."""
    made, at = b"", 0
    while at < len(boxes):
        length = struct.unpack_from(">I", boxes, at)[0]
        name, body = boxes[at + 4 : at + 8], boxes[at + 8 : at + length]
        if name == kind:
            made += new
        elif name in _CONTAINERS_OF_BOXES:
            made += box(name, replaced(body, kind, new))
        else:
            made += boxes[at : at + length]
        at += length
    return made


def alias(path: str) -> bytes:
    """A Macintosh alias record, as FFmpeg's ``mov_read_dref`` reads it, that names ``path``."""
    fixed = bytes(10) + b"\0" + bytes(27) + bytes(12) + b"\x01x" + bytes(62) + bytes(16)
    levels = struct.pack(">HH", 0, 0) + bytes(16)
    said = path.encode() + bytes(len(path) % 2)
    return fixed + levels + struct.pack(">HH", 2, len(said)) + said + b"\xff\xff\x00\x00"


def referring(kind: bytes, body: bytes) -> bytes:
    """A QuickTime film whose samples lie in another file."""
    entry = struct.pack(">I", len(body) + 12) + kind + bytes(4) + body
    return replaced(mov(), b"dref", box(b"dref", bytes(4) + struct.pack(">I", 1) + entry))


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def gab2(text: Callable[[Canaries], bytes]) -> Callable[[Canaries], bytes]:
    """An AVI with a stream of subtitles that is a file by itself, which FFmpeg probes again."""

    def made(canaries: Canaries) -> bytes:
        content = text(canaries)
        carried = b"GAB2\0" + struct.pack("<HIHHI", 2, 2, 0x61, 4, len(content)) + content
        header = struct.pack("<14I", 0, 0, 0, 0x10, 1, 0, 1, 0, 64, 64, 0, 0, 0, 0)
        stream = b"txts" + bytes(4) + struct.pack("<10I", 0, 0, 0, 1, 1, 0, 1, 0, 0, 0) + bytes(8)
        listed = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", bytes(40)))
        head = chunk(b"LIST", b"hdrl" + chunk(b"avih", header) + listed)
        return chunk(b"RIFF", b"AVI " + head + chunk(b"LIST", b"movi" + chunk(b"00tx", carried)))

    return made


def attached(content: bytes, name: str, mimetype: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return film(
            "film.mkv", *X264, "-attach", str(path), "-metadata:s:t", f"mimetype={mimetype}"
        )


def covered(mimetype: bytes, picture: bytes) -> bytes:
    """An MP3 whose ID3 tag carries a picture."""
    body = b"\0" + mimetype + b"\0\x03\0" + picture
    frame = b"APIC" + struct.pack(">I", len(body)) + b"\0\0" + body
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "song.mp3"
        source = ("-f", "lavfi", "-i", "sine=d=1", "-id3v2_version", "0", "-write_xing", "0")
        subprocess.run([*FFMPEG, *source, path], check=True)
        return b"ID3\x03\0\0" + size + frame + path.read_bytes()


_SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" \
width="9" height="9"><image x:href="{}" width="9" height="9"/></svg>'
_ENTITY = '<!DOCTYPE svg [<!ENTITY x SYSTEM "file://{txt}">]>' + _SVG.format("&x;")
_DREFS = ("-enable_drefs", "1", "-use_absolute_path", "1")
_SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"


def _to(path: str) -> Callable[[Canaries], str]:
    return lambda canaries: filled(path)(canaries).decode()


CONTAINERS = [
    HostileFile("gab2 of hls", gab2(filled(segment("{ts}"))), "film.avi", options=OPEN),
    HostileFile(
        "gab2 of hls afar",
        gab2(filled(segment("http://127.0.0.1:{port}/x.ts"))),
        "film.avi",
        options=OPEN,
    ),
    HostileFile("gab2 of ffconcat", gab2(filled("ffconcat version 1.0\nfile {ts}\n")), "film.avi"),
    HostileFile("gab2 of sdp", gab2(filled(_SDP)), "film.avi", options=OPEN),
    HostileFile("gab2 in an mp4's name", gab2(filled(segment("{ts}")))),
    HostileFile(
        "alias",
        lambda canaries: referring(b"alis", alias(_to("{mp4}")(canaries))),
        "film.mov",
        naive="reads",
        options=_DREFS,
    ),
    HostileFile(
        "alias in an mp4's name",
        lambda canaries: referring(b"alis", alias(_to("{ts}")(canaries))),
        naive="reads",
        options=_DREFS,
    ),
    HostileFile(
        "alias afar",
        lambda canaries: referring(b"alis", alias(_to("http://127.0.0.1:{port}/x.mov")(canaries))),
        "film.mov",
        options=_DREFS,
    ),
    HostileFile(
        "data reference by address",
        lambda canaries: referring(b"url ", filled("file://{mp4}\0")(canaries)),
        "film.mov",
        options=_DREFS,
    ),
    HostileFile(
        "data reference by resource",
        lambda canaries: referring(b"rsrc", alias(_to("{mp4}")(canaries))),
        "film.mov",
        options=_DREFS,
    ),
    HostileFile(
        "reference film",
        lambda canaries: (
            box(b"ftyp", b"qt  " + bytes(4))
            + box(
                b"moov",
                box(
                    b"rmra",
                    box(
                        b"rmda",
                        box(
                            b"rdrf",
                            bytes(4) + b"url " + filled("\0\0\0\x40file://{mp4}\0")(canaries),
                        ),
                    ),
                ),
            )
        ),
        "film.mov",
    ),
    HostileFile(
        "attached svg",
        lambda canaries: attached(filled(_ENTITY)(canaries), "cover.svg", "image/svg+xml"),
        "film.mkv",
    ),
    HostileFile(
        "attached playlist",
        lambda canaries: attached(filled(segment("{ts}"))(canaries), "x.m3u8", "text/plain"),
        "film.mkv",
    ),
    HostileFile(
        "cover by address",
        lambda canaries: covered(b"-->", filled("http://127.0.0.1:{port}/x.png")(canaries)),
        "song.mp3",
    ),
    HostileFile(
        "cover of svg",
        lambda canaries: covered(
            b"image/svg+xml", filled(_SVG.format("file://{folder}/private.png"))(canaries)
        ),
        "song.mp3",
    ),
    HostileFile("svg", filled(_SVG.format("file://{txt}")), "picture.svg"),
    HostileFile("svg in a png's name", filled(_ENTITY), "picture.png"),
    HostileFile("sdp", filled(_SDP), "film.sdp", options=OPEN),
    HostileFile("sdp in an mp4's name", filled(_SDP), options=OPEN),
    HostileFile("vobsub", filled("# VobSub index file, v7\nid: en, index: 0\n"), "film.idx"),
    HostileFile("ffmetadata", filled(";FFMETADATA1\ntitle=file://{txt}\n"), "film.mp4"),
]
