"""A film's first frame, decoded for what an ffprobe with fewer decoders can't say: size and format.

The bundled ffprobe has no zlib, so it decodes no PNG, no deflated TIFF and no screen recordings of
some kinds; a container's own word for the size may be a lie.
"""

from __future__ import annotations

import re
from typing import Any

from media_jobs.ffmpeg import words
from media_jobs.ffmpeg.demuxers import PROBE_WHITELIST
from media_jobs.ffmpeg.media_info import Json, is_picture, of_kind, streams_of, whole

_FORMAT = re.compile(r"\bfmt:(\w{1,30})")
_SIZE = re.compile(r"\bs:(\d{1,7})x(\d{1,7})\b")


def missing(answer: Json) -> int | None:
    """The index of the film's stream where ffprobe could not decode it, else None."""
    for stream in of_kind(streams_of(answer), "video"):
        if not is_picture(stream):
            known = stream.get("width") and stream.get("pix_fmt") not in {None, "unknown"}
            return None if known else whole(stream.get("index")) or 0
    return None


def args(path: str, index: int, max_pixels: int | None) -> tuple[str, ...]:
    """What FFmpeg is asked; ``showinfo`` says what it made of the frame."""
    return (
        *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"),
        *("-protocol_whitelist", "file", "-format_whitelist", PROBE_WHITELIST),
        *(("-max_pixels", str(max_pixels)) if max_pixels else ()),
        # Else it would be the size after turning, which is told apart from the stream's own.
        *("-noautorotate", "-i", path, "-map", f"0:{index}"),
        *("-vf", "showinfo", "-frames:v", "1", "-f", "null", "-"),
    )


def told(answer: Json, index: int, log: str) -> Json:
    """``answer`` with what was said of the frame; as it is where there was none."""
    for said in words.of_filter(log, "showinfo"):
        size, pix_fmt = _SIZE.search(said), _FORMAT.search(said)
        if size and pix_fmt:
            width, height = int(size[1]), int(size[2])
            known: dict[str, Any] = {"width": width, "height": height, "pix_fmt": pix_fmt[1]}
            known |= {"coded_width": width, "coded_height": height}
            streams = [
                {**stream, **known} if whole(stream.get("index")) == index else stream
                for stream in streams_of(answer)
            ]
            return {**answer, "streams": streams}
    return answer
