"""What can be done to the frames of a video: each effect is a small model of its parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from media_jobs.ffmpeg.filters import Filter
from media_jobs.operations.building.sizes import (
    FrameSize,
    Size,
    box,
    fitted,
    nearest_even,
    size_after,
)
from media_jobs.operations.core import (
    NOT_BOOL,
    Colour,
    Degrees,
    InvalidParams,
    Media,
    Offset,
    Parameters,
    Pixels,
)


@dataclass(frozen=True)
class Canvas:
    """The frames as they are where an effect comes in."""

    m: Media
    size: FrameSize


class Effect(Parameters):
    """Most effects are one filter that keeps the size; the others say ``drawn`` themselves."""

    def filter(self) -> Filter:
        raise NotImplementedError(f"{type(self).__name__} declares neither filter nor drawn")

    def drawn(self, canvas: Canvas) -> tuple[list[Filter], FrameSize]:
        """The filters, and the size that they leave; raises ``InvalidParams``."""
        return [self.filter()], canvas.size


class Brightness(Effect):
    """Add to the brightness."""

    value: Annotated[float, Field(ge=-1, le=1), NOT_BOOL]
    """0 changes nothing, -1 is black, 1 is white."""

    def filter(self) -> Filter:
        return Filter("eq", brightness=self.value)


class Contrast(Effect):
    """Multiply the contrast."""

    value: Annotated[float, Field(ge=0, le=4), NOT_BOOL]
    """1 changes nothing, 0 is plain grey."""

    def filter(self) -> Filter:
        return Filter("eq", contrast=self.value)


class Saturation(Effect):
    """Multiply the strength of the colours."""

    value: Annotated[float, Field(ge=0, le=3), NOT_BOOL]
    """1 changes nothing, 0 is grey."""

    def filter(self) -> Filter:
        return Filter("eq", saturation=self.value)


class Blur(Effect):
    """Blur as a Gaussian does."""

    sigma: Annotated[float, Field(gt=0, le=100), NOT_BOOL] = 5.0
    """Radius in pixels; more is softer."""

    def filter(self) -> Filter:
        return Filter("gblur", sigma=self.sigma)


class Grayscale(Effect):
    """Take the colours away."""

    def filter(self) -> Filter:
        return Filter("hue", s=0)


class Flip(Effect):
    """Mirror."""

    direction: Literal["horizontal", "vertical", "both"] = "horizontal"
    """horizontal: left and right change places · vertical: top and bottom."""

    def drawn(self, canvas: Canvas) -> tuple[list[Filter], FrameSize]:
        names = {"horizontal": ("hflip",), "vertical": ("vflip",), "both": ("hflip", "vflip")}
        return [Filter(name) for name in names[self.direction]], canvas.size


class Rotate(Effect):
    """Turn clockwise; by other than right angles, the picture grows to hold its corners."""

    angle: Degrees
    """Clockwise."""
    fill: Colour = "black"
    """What shows in the corners."""

    def drawn(self, canvas: Canvas) -> tuple[list[Filter], FrameSize]:
        size = canvas.size
        turned = FrameSize(size.height, size.width)
        right_angles: dict[float, tuple[list[Filter], FrameSize]] = {
            0: ([], size),
            90: ([Filter("transpose", dir="clock")], turned),
            180: ([Filter("hflip"), Filter("vflip")], size),
            270: ([Filter("transpose", dir="cclock")], turned),
        }
        return right_angles.get(self.angle % 360) or self._askew(size)

    def _askew(self, size: FrameSize) -> tuple[list[Filter], FrameSize]:
        radians = math.radians(self.angle)
        sine, cosine = abs(math.sin(radians)), abs(math.cos(radians))
        grown = FrameSize(
            nearest_even(size.width * cosine + size.height * sine),
            nearest_even(size.width * sine + size.height * cosine),
        )
        turn = Filter(
            "rotate", angle=radians, out_w=grown.width, out_h=grown.height, fillcolor=self.fill
        )
        return [turn], grown


class Crop(Effect):
    """Keep a rectangle."""

    width: Pixels
    """Width of what is kept."""
    height: Pixels
    """Height of what is kept."""
    x: Offset | None = None
    """From the left; in the middle when absent."""
    y: Offset | None = None
    """From the top; in the middle when absent."""

    def drawn(self, canvas: Canvas) -> tuple[list[Filter], FrameSize]:
        x = inside("width", "x", self.width, self.x, canvas.size.width)
        y = inside("height", "y", self.height, self.y, canvas.size.height)
        # exact: without it FFmpeg moves the cut to a whole colour sample, mostly two pixels.
        cut = Filter("crop", w=self.width, h=self.height, x=x, y=y, exact=True)
        return [cut], FrameSize(self.width, self.height)


def inside(side: str, place: str, length: int, offset: int | None, whole: int) -> int:
    if length > whole:
        raise InvalidParams(side, f"the picture has only {whole} px there", "out_of_range")
    if offset is not None and offset + length > whole:
        raise InvalidParams(place, f"reaches beyond the picture's {whole} px", "out_of_range")
    return (whole - length) // 2 if offset is None else offset


class Scale(Effect, Size):
    """Change the size."""

    def drawn(self, canvas: Canvas) -> tuple[list[Filter], FrameSize]:
        filters = fitted(canvas.size, box(canvas.size, self), self.fit, canvas.m.device)
        return filters, size_after(canvas.size, filters)
