"""Frame sizes: how they are asked for, and the filters that bring a source to them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Tag, model_validator
from pydantic_core import PydanticCustomError

from media_jobs.ffmpeg.devices import Device
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.operations.core import EvenPixels, Parameters

NAMED = {
    "4K": (3840, 2160),
    "1440p": (2560, 1440),
    "1080p": (1920, 1080),
    "720p": (1280, 720),
    "480p": (854, 480),
    "360p": (640, 360),
}
NamedSize = Literal["4K", "1440p", "1080p", "720p", "480p", "360p"]
Fit = Literal["contain", "cover", "stretch", "pad"]

# Square pixels; a change of the note on the frame only, wherever the frame lies.
SQUARE = Filter("setsar", cuda="setsar", sar="1")


class Size(Parameters):
    """With one side given, the other follows from the source's shape."""

    width: EvenPixels | None = None
    """Width of the frame."""
    height: EvenPixels | None = None
    """Height of the frame."""
    fit: Fit = "contain"
    """contain: inside the box, no bars · pad: the box, with bars · cover: the box, edges cut off ·
    stretch: the box, shape lost."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", value)
        if found is None:
            names = ", ".join(NAMED)
            raise PydanticCustomError("size", "write 1280x720 or one of {names}", {"names": names})
        return {"width": int(found.group(1)), "height": int(found.group(2))}

    @model_validator(mode="after")
    def _has_sides(self) -> Self:
        if self.width is None and self.height is None:
            raise PydanticCustomError("size", "give a width, a height or both")
        if self.fit != "contain" and None in {self.width, self.height}:
            raise PydanticCustomError("size", "this fit needs both width and height")
        return self


def spelling(value: Any) -> str:
    return "name" if isinstance(value, str) and value in NAMED else "size"


Resolution = Annotated[
    Annotated[NamedSize, Tag("name")] | Annotated[Size, Tag("size")], Discriminator(spelling)
]


@dataclass(frozen=True)
class FrameSize:
    width: int
    height: int

    @property
    def is_even(self) -> bool:
        return self.width % 2 == 0 and self.height % 2 == 0

    def even(self) -> FrameSize:
        return FrameSize(max(2, self.width // 2 * 2), max(2, self.height // 2 * 2))


def displayed_size(video: VideoStream) -> FrameSize:
    """As seen: with the rotation and with pixels made square."""
    return FrameSize(round(video.width * video.sample_aspect_ratio), video.height)


def stored_size(video: VideoStream) -> FrameSize:
    """With the rotation, in the video's own pixels."""
    return FrameSize(video.width, video.height)


def box(seen: FrameSize, resolution: str | Size) -> tuple[float, float]:
    """The box asked for; a named one lies as the video does: 720p of a portrait is 720 wide."""
    if isinstance(resolution, str):
        long, short = NAMED[resolution]
        return (short, long) if seen.height > seen.width else (long, short)
    return resolution.width or math.inf, resolution.height or math.inf


def resize(seen: FrameSize, resolution: str | Size, device: Device) -> list[Filter]:
    fit = "contain" if isinstance(resolution, str) else resolution.fit
    return fitted(seen, box(seen, resolution), fit, device)


def fitted(seen: FrameSize, into: tuple[float, float], fit: Fit, device: Device) -> list[Filter]:
    width, height = into
    if fit == "stretch":
        return [device.scale(int(width), int(height)), SQUARE]
    scale = [device.scale(*sides(seen, into, larger=fit == "cover")), SQUARE]
    if fit == "cover":
        return [*scale, Filter("crop", w=int(width), h=int(height))]
    if fit == "pad":
        middle = Filter("pad", w=int(width), h=int(height), x="(ow-iw)/2", y="(oh-ih)/2")
        return [*scale, middle]
    return scale


def sides(seen: FrameSize, into: tuple[float, float], *, larger: bool) -> tuple[int, int]:
    """Both sides even, the shape kept, the box touched from inside (or, ``larger``, covered)."""
    factors = (into[0] / seen.width, into[1] / seen.height)
    factor = max(factors) if larger else min(factors)
    return nearest_even(seen.width * factor), nearest_even(seen.height * factor)


def nearest_even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def squared(video: VideoStream, device: Device) -> list[Filter]:
    """Bring a video of oblong pixels to square ones, so that sizes mean what is seen."""
    if video.sample_aspect_ratio == 1.0:
        return []
    return [device.scale(nearest_even(displayed_size(video).width), video.height), SQUARE]


def made_even(size: FrameSize) -> list[Filter]:
    """Cut the odd last line off: 4:2:0 has one colour sample for each two by two pixels."""
    if size.is_even:
        return []
    even = size.even()
    if min(size.width, size.height) < 2:
        return [Filter("scale", w=even.width, h=even.height)]
    return [Filter("crop", w=even.width, h=even.height, x=0, y=0)]


def size_after(size: FrameSize, filters: Sequence[Filter]) -> FrameSize:
    """What the last filter that says a size makes of a size."""
    for each in filters:
        told = dict(each.options)
        if "w" in told and "h" in told:
            size = FrameSize(int(told["w"]), int(told["h"]))
    return size
