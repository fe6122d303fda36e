"""One video becoming the next."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from media_jobs.ffmpeg.devices import Encoding
from media_jobs.ffmpeg.filters import Filter, in_seconds
from media_jobs.ffmpeg.graph import Chain, Graph, stream
from media_jobs.operations.building.segments import TargetFormat, audio_chain, video_filters
from media_jobs.operations.core import NOT_BOOL, Media, Parameters, Source


class Transition(Parameters):
    type: Literal[
        "fade", "dissolve", "fadeblack", "fadewhite", "wipeleft", "wiperight", "wipeup",
        "wipedown", "slideleft", "slideright", "circleopen", "circleclose",
    ] = "fade"  # fmt: skip
    """How one clip becomes the next; the names are those of FFmpeg's xfade."""
    duration: Annotated[float, Field(ge=0.1, le=10, json_schema_extra={"unit": "s"}), NOT_BOOL] = (
        1.0
    )
    """How long; both clips are shown meanwhile, so the video gets shorter by it."""


def crossfaded(  # noqa: PLR0913 -- the parts, what they become, and how
    m: Media,
    parts: Sequence[Source],
    lengths_s: Sequence[float],
    target: TargetFormat,
    *,
    transition: Transition,
    encoding: Encoding,
) -> Graph:
    """Every part alike, then each one faded into what is there: [v0]+[c1]=[v1], and so on.

    Part n is input n of the command. The results are ``film``, and ``a`` with the number of the
    last part where there is audio.
    """
    chains: list[Chain] = []
    for place, part in enumerate(parts):
        chains += _alike(m, place, part, lengths_s[place], target)
    offset_s = 0.0
    for before, place in pairwise(range(len(parts))):
        offset_s += lengths_s[before] - transition.duration
        chains += _faded(before, place, offset_s, target, transition)
    fed = m.placed((), encoding=encoding) or (Filter("null"),)
    return Graph((*chains, Chain(fed, (f"v{len(parts) - 1}",), ("film",))))


def _alike(
    m: Media, place: int, part: Source, length_s: float, target: TargetFormat
) -> list[Chain]:
    video = part.need_video()
    filters = (
        *m.placed(video_filters(video, target, m.device)),
        # One clock for all, or xfade refuses.
        Filter("trim", end=in_seconds(length_s)),
        Filter("settb", "AVTB"),
    )
    label = f"{'c' if place else 'v'}{place}"
    alike = [Chain(filters, (stream(place, video.index),), (label,))]
    if target.has_audio:
        alike.append(audio_chain(part, f"{'s' if place else 'a'}{place}", length_s, place))
    return alike


def _faded(
    before: int, place: int, offset_s: float, target: TargetFormat, transition: Transition
) -> list[Chain]:
    fade = Filter(
        "xfade",
        transition=transition.type,
        duration=transition.duration,
        offset=in_seconds(offset_s),
    )
    faded = [Chain((fade,), (f"v{before}", f"c{place}"), (f"v{place}",))]
    if target.has_audio:
        cross = Filter("acrossfade", d=transition.duration)
        faded.append(Chain((cross,), (f"a{before}", f"s{place}"), (f"a{place}",)))
    return faded
