"""How much a medium may hold, told from ffprobe's answer, before anything of it is decoded."""

from __future__ import annotations

import re
from dataclasses import dataclass

from media_jobs.ffmpeg.media_info import (
    Json,
    number,
    of_kind,
    rate,
    stream_duration_s,
    streams_of,
    whole,
)

# Of what FFmpeg itself finds too large (``-max_pixels``, or its own bound) no stream has the size.
_PICTURE_SIZE = re.compile(r"Picture size (\d{1,10})x(\d{1,10}) (?:is invalid|exceeds)")
_STREAMS = re.compile(r"Number of streams exceeds max_streams parameter \((\d+)\)")
_DAY_S = 86_400


@dataclass(frozen=True)
class MediaLimits:
    pixels: int
    """Of one picture."""
    frames: int
    duration_s: float
    streams: int


@dataclass(frozen=True)
class Excess:
    code: str
    detail: str


def excess(answer: Json, own: str, limits: MediaLimits) -> Excess | None:
    """Say what is too much of, with what was found and the limit; None where all is well.

    ``answer`` and ``own``, what it said, are ffprobe's, whether it ended well or not.
    """
    streams = streams_of(answer)
    if len(streams) > limits.streams:
        return _too_many_streams(str(len(streams)), limits)
    if found := _STREAMS.search(own):
        return _too_many_streams(f"more than {found[1]}", limits)
    if too_large := _too_many_pixels(streams, own, limits):
        return too_large
    lasts_s = length_s(answer, streams)
    if lasts_s > limits.duration_s:
        days = f" ({lasts_s / _DAY_S:.1f} days)" if lasts_s >= _DAY_S else ""
        detail = f"it lasts {lasts_s:.0f} s{days}; at most {limits.duration_s:g} s are taken"
        return Excess("too_long", detail)
    frames = 0
    for video in of_kind(streams, "video"):
        # As its container counts them; else by its length and mean rate.
        mean = rate(video.get("avg_frame_rate"))
        counted = whole(video.get("nb_frames"))
        frames = max(frames, counted or int((stream_duration_s(video) or lasts_s) * mean))
    if frames > limits.frames:
        detail = f"it has {frames} frames; at most {limits.frames} are taken"
        return Excess("too_many_frames", detail)
    return None


def _too_many_streams(found: str, limits: MediaLimits) -> Excess:
    detail = f"it has {found} streams; at most {limits.streams} are taken"
    return Excess("too_many_streams", detail)


def _too_many_pixels(streams: list[Json], own: str, limits: MediaLimits) -> Excess | None:
    sizes = [(whole(each.get("width")) or 0, whole(each.get("height")) or 0) for each in streams]
    sizes += [(int(width), int(height)) for width, height in _PICTURE_SIZE.findall(own)]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    # What FFmpeg can't hold is too large, however generous the limit.
    if width * height <= limits.pixels and not _PICTURE_SIZE.search(own):
        return None
    detail = f"a picture has {width}x{height} pixels; at most {limits.pixels} are taken"
    return Excess("too_many_pixels", detail)


def length_s(answer: Json, streams: list[Json]) -> float:
    head = answer.get("format")
    said = [number(head.get("duration"))] if isinstance(head, dict) else []
    return max(0.0, *(each or 0.0 for each in [*said, *map(stream_duration_s, streams)]), 0.0)
