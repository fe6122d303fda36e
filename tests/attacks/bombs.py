"""Small files that want to become large: in memory, in time, or in number."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.attacks.hostile_containers import box, film, mov, replaced
from tests.attacks.hostile_files import hls
from tests.harness.media import X264

_ZEROS = bytes(60 << 20)


@dataclass(frozen=True)
class Bomb:
    id: str
    content: Callable[[], bytes]
    name: str


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, bits: int, pixels: bytes, more: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    data = _chunk(b"IHDR", head) + more + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def _small_png(more: bytes) -> bytes:
    return png(8, 8, bits=8, pixels=zlib.compress(bytes(9 * 8)), more=more)


def _white_of_30000() -> bytes:
    return png(30000, 30000, bits=1, pixels=zlib.compress(bytes(30000 * 3751), 1))


def _texts(count: int) -> bytes:
    text = _chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(_ZEROS, 1))
    return _small_png(text * count)


def _profile() -> bytes:
    return _small_png(_chunk(b"iCCP", b"p\0\0" + zlib.compress(_ZEROS, 1)))


def _endless_apng() -> bytes:
    control = struct.pack(">IIIIIHHBB", 0, 8, 8, 0, 0, 1, 1, 0, 0)
    return _small_png(_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)) + _chunk(b"fcTL", control))


def gif(width: int, height: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    image = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\x00;"
    return head + image


def _large_jpeg() -> bytes:
    small = film("picture.jpg", "-frames:v", "1")
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + struct.pack(">HH", 65500, 65500) + small[at + 4 :]


def _large_bmp() -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, 2**31 - 1, 2**31 - 1, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + head + bytes(4000)


def _large_webp() -> bytes:
    lossless = b"\x2f" + struct.pack("<I", 0x0FFFFFFF) + bytes(64)
    riff = b"WEBPVP8L" + struct.pack("<I", len(lossless)) + lossless + b"\0"
    return b"RIFF" + struct.pack("<I", len(riff)) + riff


def y4m(size: str, rate: str = "25:1") -> bytes:
    width, height = size.split("x")
    return f"YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C420\nFRAME\n".encode() + bytes(100_000)


def _forty_days(name: str) -> bytes:
    """40 frames, a day between each and the next."""
    spread = ("-vf", "setpts=N*86400/TB", "-fps_mode", "passthrough", "-frames:v", "40")
    # Else MP4 counts in units so fine that a day does not fit.
    scale = ("-video_track_timescale", "1000") if name.endswith("mp4") else ()
    return film(name, *spread, "-enc_time_base", "1:1000", *scale, *X264)


def _many_tracks(count: int) -> bytes:
    whole = mov()
    at = whole.index(b"trak") - 4
    track = whole[at : at + struct.unpack_from(">I", whole, at)[0]]
    return replaced(whole, b"trak", track * count)


def _deep_boxes(levels: int) -> bytes:
    kinds = (b"moov", b"trak", b"mdia", b"minf", b"udta")
    sizes = (struct.pack(">I", (levels - n) * 8) + kinds[n % 5] for n in range(levels))
    return box(b"ftyp", b"isom" + bytes(4)) + b"".join(sizes)


def _unpacked_header() -> bytes:
    """A QuickTime header that is kept compressed and says that it is 4 GiB."""
    packed = box(b"cmvd", struct.pack(">I", 2**32 - 1) + zlib.compress(_ZEROS * 4, 1))
    header = box(b"moov", box(b"cmov", box(b"dcom", b"zlib") + packed))
    return box(b"ftyp", b"qt  " + bytes(4)) + header


def _large_table() -> bytes:
    """A sample table that says it has 2³² - 1 entries."""
    table = box(b"stts", bytes(4) + struct.pack(">I", 2**32 - 1) + bytes(64))
    whole = mov()
    at = whole.index(b"stts") - 4
    old = whole[at : at + struct.unpack_from(">I", whole, at)[0]]
    return whole.replace(old, table[: len(old)].ljust(len(old), b"\0"))


_EBML = b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska"


def _deep_ebml(levels: int) -> bytes:
    """Tags in tags, each of unknown size."""
    unknown = b"\x01\xff\xff\xff\xff\xff\xff\xff"
    return (
        _EBML
        + b"\x18\x53\x80\x67"
        + unknown
        + b"\x12\x54\xc3\x67"
        + unknown
        + (b"\x73\x73" + unknown + (b"\x67\xc8" + unknown) * levels)
    )


def _lying_ebml() -> bytes:
    largest = b"\x01\xff\xff\xff\xff\xff\xff\xfe"
    return _EBML + b"\x18\x53\x80\x67" + largest + b"\x16\x54\xae\x6b" + largest + b"\xae" + largest


def _many_ebml_tracks(count: int) -> bytes:
    entries = b"".join(
        b"\xae\x98\xd7\x82"
        + struct.pack(">H", n + 1)
        + b"\x73\xc5\x82"
        + struct.pack(">H", n + 1)
        + b"\x83\x81\x02\x86\x88A_VORBIS"[:12]
        for n in range(count)
    )
    tracks = b"\x16\x54\xae\x6b\x08" + struct.pack(">I", len(entries))[1:] + entries
    return _EBML + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + tracks


def wav(channels: int, rate: int, bits: int = 16) -> bytes:
    form = struct.pack("<HHIIHH", 1, channels, rate, 2**31, channels * bits // 8 & 0xFFFF, bits)
    body = b"WAVEfmt \x10\0\0\0" + form + b"data" + struct.pack("<I", 2**32 - 9) + bytes(40_000)
    return b"RIFF" + struct.pack("<I", 2**32 - 1) + body


def _many_ogg_streams(count: int) -> bytes:
    def page(serial: int) -> bytes:
        body = b"OpusHead\1\2\x38\x01\x80\xbb\0\0\0\0\0"
        head = b"OggS\0\2" + bytes(8) + struct.pack("<II", serial, 0)
        return head + bytes(4) + b"\x01" + bytes([len(body)]) + body

    return b"".join(map(page, range(count)))


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("film.mp4", _ZEROS)
    return packed.getvalue()


_ART = b"\x1b[2J" + b"\x1b[1;31mart \x1b[999999999;999999999Hx\x1b[999999999b\r\n" * 2000
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_SVG = f'<!DOCTYPE svg [<!ENTITY l0 "lol">{_LAUGHS}]><svg width="99999" height="99999">&l9;</svg>'

PICTURES = [
    Bomb("png of 30000²", _white_of_30000, "picture.png"),
    Bomb("png of 2³¹", partial(png, 2**31 - 1, 2**31 - 1, bits=8, pixels=b"x"), "picture.png"),
    Bomb("png with texts", partial(_texts, 20), "picture.png"),
    Bomb("png with a profile", _profile, "picture.png"),
    Bomb("apng of 2³¹ frames", _endless_apng, "picture.png"),
    Bomb("gif of 65535²", partial(gif, 65535, 65535), "picture.gif"),
    Bomb("jpeg of 65500²", _large_jpeg, "picture.jpg"),
    Bomb("bmp of 2³¹", _large_bmp, "picture.bmp"),
    Bomb("webp of 16384²", _large_webp, "picture.webp"),
    Bomb("svg", _SVG.encode, "picture.svg"),
    Bomb("svg in a png's name", _SVG.encode, "picture.png"),
    Bomb("mvg", b"push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 0,0 'x'".strip, "p.mvg"),
    Bomb("postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n{ } loop\n".strip, "picture.png"),
]
FILMS = [
    Bomb("y4m of 65535²", partial(y4m, "65535x65535"), "film.y4m"),
    Bomb("y4m of 2³¹", partial(y4m, "2147483647x2147483647"), "film.y4m"),
    Bomb("y4m of 10⁹ frames a second", partial(y4m, "64x64", "1000000000:1"), "film.y4m"),
    Bomb("forty days", partial(_forty_days, "film.mkv"), "film.mkv"),
    Bomb("forty days in mp4", partial(_forty_days, "film.mp4"), "film.mp4"),
    Bomb("3000 tracks", partial(_many_tracks, 3000), "film.mov"),
    Bomb("3000 tracks in matroska", partial(_many_ebml_tracks, 3000), "film.mkv"),
    Bomb("deep boxes", partial(_deep_boxes, 60_000), "film.mp4"),
    Bomb("box without end", lambda: mov()[:36] + b"\0\0\0\1moov" + b"\x7f" * 8, "film.mp4"),
    Bomb("packed header", _unpacked_header, "film.mov"),
    Bomb("table of 2³² entries", _large_table, "film.mov"),
    Bomb("deep ebml", partial(_deep_ebml, 60_000), "film.mkv"),
    Bomb("lying ebml", _lying_ebml, "film.mkv"),
    Bomb("looping hls", hls("#EXTINF:1,", "film.mp4", "#EXT-X-ENDLIST").encode, "film.mp4"),
    Bomb("endless hls", hls("#EXTINF:1,", "a.ts").encode, "film.mp4"),
    Bomb("text art", partial(bytes, _ART), "film.mp4"),
    Bomb("text art by its name", partial(bytes, _ART), "film.ans"),
    Bomb("gzip", partial(gzip.compress, _ZEROS), "film.mp4"),
    Bomb("zip", _zip, "film.mp4"),
]
SOUNDS = [
    Bomb("65535 channels", partial(wav, 65535, 48000), "song.wav"),
    Bomb("4 GHz", partial(wav, 2, 2**32 - 1), "song.wav"),
    Bomb("tag of 256 MiB", lambda: b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(10_000), "song.mp3"),
    Bomb("3000 ogg streams", partial(_many_ogg_streams, 3000), "song.ogg"),
]
BOMBS = [*PICTURES, *FILMS, *SOUNDS]
