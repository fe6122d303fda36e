"""Files that make FFmpeg open something else: playlists, scripts and manifests, by name of a film.

Each says what FFmpeg 5.1.9 with default options does with it, and ``test_naive`` proves that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.attacks.canaries import Canaries


@dataclass(frozen=True)
class HostileFile:
    """``content`` is filled in with where the canaries are.

    ``naive`` is what FFmpeg with its default options does: it reads a file that it should not, or
    connects somewhere, or stands. ``given`` is how it is given the file: as a path in its folder,
    or as an address, which opens all protocols of the network to what a playlist names. ``options``
    are what careless services add; without any, the defaults are enough.
    """

    id: str
    content: Callable[[Canaries], bytes]
    name: str = "film.mp4"
    naive: Literal["reads", "connects", "stands"] = "stands"
    given: Literal["path", "url"] = "path"
    options: tuple[str, ...] = ()


def filled(text: str) -> Callable[[Canaries], bytes]:
    """Put the places of the canaries for ``{ts}``, ``{mp4}``, ``{folder}``, ``{port}`` …"""

    def fill(canaries: Canaries) -> bytes:
        places = {
            "folder": str(canaries.folder),
            "ts": str(canaries.at("private.ts")),
            "mp4": str(canaries.at("private.mp4")),
            "txt": str(canaries.at("private.txt")),
            "key": str(canaries.at("private.key")),
            "port": str(canaries.listeners.port),
            "unix": str(canaries.listeners.path),
            "abstract": canaries.listeners.abstract,
        }
        content = text
        for name, place in places.items():
            content = content.replace(f"{{{name}}}", place)
        return content.encode()

    return fill


def hls(*lines: str) -> str:
    return "\n".join(["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:2", *lines, ""])


def segment(uri: str) -> str:
    return hls("#EXTINF:2,", uri, "#EXT-X-ENDLIST")


# All that a list of files may name.
OPEN = (
    "-protocol_whitelist",
    "file,http,tcp,udp,rtp,unix,concat,subfile,crypto,data,cache,async,ftp,gopher,rtmp,tls,pipe",
)
UNSAFE = ("-f", "concat", "-safe", "0", *OPEN)
_FAR = "http://127.0.0.1:{port}"
_AES = '#EXT-X-KEY:METHOD=AES-128,URI="{}",IV=0x00000000000000000000000000000000'

ANOTHERS_FILM = [
    HostileFile(f"named {name}", filled(segment("file://{ts}")), name, naive="reads")
    for name in ("film.mp4", "film.ts", "film.mkv", "song.mp3", "film.mov", "film.m3u8", "film")
]

OF_HLS = [
    HostileFile("absolute", filled(segment("{ts}")), naive="reads"),
    HostileFile("way up", filled(segment("../" * 24 + "{ts}")), naive="reads"),
    HostileFile("file scheme", filled(segment("file:{ts}")), naive="reads"),
    HostileFile("mp4 segment", filled(segment("file://{mp4}")), naive="reads"),
    HostileFile(
        "key", filled(hls(_AES.format("file://{ts}"), "#EXTINF:2,", "x.ts")), naive="reads"
    ),
    HostileFile("map", filled(hls('#EXT-X-MAP:URI="{mp4}"', "#EXTINF:2,", "{mp4}")), naive="reads"),
    HostileFile(
        "variant", filled(hls("#EXT-X-STREAM-INF:BANDWIDTH=1", "file://{ts}")), naive="reads"
    ),
    HostileFile(
        "rendition",
        filled(
            hls(
                '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,URI="file://{ts}"',
                '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"',
                "file://{ts}",
            )
        ),
        naive="reads",
    ),
    HostileFile(
        "byte range",
        filled(hls("#EXTINF:2,", "#EXT-X-BYTERANGE:1000@0", "{ts}", "#EXT-X-ENDLIST")),
        naive="reads",
    ),
    HostileFile(
        "live", filled(hls("#EXT-X-MEDIA-SEQUENCE:1", "#EXTINF:2,", "{ts}")), naive="reads"
    ),
    *(
        HostileFile(f"{what} from afar", filled(text), naive="connects", given="url")
        for what, text in {
            "segment": segment(f"{_FAR}/x.ts"),
            "key": hls(_AES.format(f"{_FAR}/key"), "#EXTINF:2,", f"{_FAR}/x.ts", "#EXT-X-ENDLIST"),
            "map": hls(
                f'#EXT-X-MAP:URI="{_FAR}/m.mp4"', "#EXTINF:2,", f"{_FAR}/x.m4s", "#EXT-X-ENDLIST"
            ),
            "variant": hls("#EXT-X-STREAM-INF:BANDWIDTH=1", f"{_FAR}/x.m3u8"),
            "rendition": hls(
                f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="{_FAR}/a.m3u8"',
                '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"',
                f"{_FAR}/x.m3u8",
            ),
        }.items()
    ),
]

# FFmpeg's HLS reader itself takes file, http and data alone; this is here to stay true of it.
OF_PROTOCOLS = [
    HostileFile(re.split("[:,]", uri)[0], filled(segment(uri)), options=OPEN)
    for uri in (
        "concat:{ts}|{ts}",
        "subfile,,start,0,end,9999,,:{ts}",
        "crypto:{ts}",
        "crypto+file:{ts}",
        "data:text/plain;base64,ZmZjb25jYXQgdmVyc2lvbiAxLjAK",
        "cache:{ts}",
        "async:{ts}",
        "concatf:{txt}",
        "pipe:3",
        "fd:3",
        "unix:{unix}",
        "tcp://127.0.0.1:{port}",
        "udp://127.0.0.1:{port}",
        "rtmp://127.0.0.1:{port}/a/b",
        "gopher://127.0.0.1:{port}/x",
        "ftp://127.0.0.1:{port}/x.ts",
        "tls://127.0.0.1:{port}",
        "/proc/self/environ",
        "/dev/fd/3",
    )
]

_MPD = """<?xml version="1.0"?>{head}<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
 profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" mediaPresentationDuration="PT4S">
<Period><AdaptationSet mimeType="video/mp4">{body}
</AdaptationSet></Period></MPD>"""
_REPRESENTATION = '<Representation id="1" bandwidth="1">{}</Representation>'


def mpd(body: str, head: str = "") -> str:
    return _MPD.replace("{head}", head).replace("{body}", _REPRESENTATION.format(body))


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_BILLION = f'<!DOCTYPE MPD [<!ENTITY l0 "lol">{_LAUGHS}]>'
_ENTITY = '<!DOCTYPE MPD [<!ENTITY x SYSTEM "file://{txt}">]>'
_REMOTE_ENTITY = f'<!DOCTYPE MPD [<!ENTITY % x SYSTEM "{_FAR}/x.dtd"> %x;]>'
_CPL = """<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">
<Id>urn:uuid:00000000-0000-0000-0000-000000000001</Id><EditRate>25 1</EditRate>
</CompositionPlaylist>"""

OF_SCRIPTS = [
    HostileFile(
        "ffconcat", filled("ffconcat version 1.0\nfile '{ts}'\n"), naive="reads", options=UNSAFE
    ),
    HostileFile("ffconcat by itself", filled("ffconcat version 1.0\nfile film.mp4\n" * 2)),
    HostileFile(
        "ffconcat options",
        filled("ffconcat version 1.0\nfile '{mp4}'\noption enable_drefs 1\noption safe 0\n"),
        naive="reads",
        options=UNSAFE,
    ),
    HostileFile(
        "ffconcat afar",
        filled(f"ffconcat version 1.0\nfile '{_FAR}/x.ts'\n"),
        naive="connects",
        options=UNSAFE,
    ),
    HostileFile(
        "ffconcat subfile",
        filled("ffconcat version 1.0\nfile 'subfile,,start,0,end,9999,,:{ts}'\n"),
        naive="reads",
        options=UNSAFE,
    ),
    HostileFile(
        "ffconcat unix",
        filled("ffconcat version 1.0\nfile 'unix:{unix}'\n"),
        naive="connects",
        options=UNSAFE,
    ),
    HostileFile("dash file", filled(mpd("<BaseURL>file://{mp4}</BaseURL>")), naive="reads"),
    HostileFile("dash path", filled(mpd("<BaseURL>{mp4}</BaseURL>")), naive="reads"),
    HostileFile(
        "dash afar", filled(mpd(f"<BaseURL>{_FAR}/x.mp4</BaseURL>")), naive="connects", given="url"
    ),
    HostileFile(
        "dash template",
        filled(mpd(f'<SegmentTemplate media="{_FAR}/$Number$.m4s" duration="1"/>')),
        naive="connects",
        given="url",
    ),
    HostileFile("dash entity", filled(mpd("<BaseURL>&x;</BaseURL>", _ENTITY))),
    HostileFile(
        "dash entity afar", filled(mpd("<BaseURL>x</BaseURL>", _REMOTE_ENTITY)), "film.mpd"
    ),
    HostileFile("billion laughs", filled(mpd("<BaseURL>&l9;</BaseURL>", _BILLION))),
    HostileFile(
        "dash behind a comment",
        filled(mpd("<BaseURL>file://{mp4}</BaseURL>", f"<!--{' ' * 900}-->")),
        naive="reads",
    ),
    HostileFile(
        "dash under its name", filled(mpd("<BaseURL>{mp4}</BaseURL>")), "film.mpd", "reads"
    ),
    HostileFile("composition playlist", filled(_CPL)),
    HostileFile("pls", filled("[playlist]\nFile1={ts}\nNumberOfEntries=1\n")),
    HostileFile("asx", filled("<asx version='3.0'><entry><ref href='{ts}'/></entry></asx>")),
    HostileFile("smil", filled("<smil><body><video src='{ts}'/></body></smil>")),
    HostileFile("asf reference", filled("[Reference]\nRef1=file://{ts}\n")),
    HostileFile("plain m3u", filled("#EXTM3U\n#EXTINF:1,x\n{ts}\n"), "film.m3u"),
    HostileFile("marked", filled("\ufeff" + segment("{ts}"))),
    HostileFile("in capitals", filled(segment("FILE://{ts}"))),
    HostileFile(
        "sdp",
        filled(
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
            "m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"
        ),
    ),
]
