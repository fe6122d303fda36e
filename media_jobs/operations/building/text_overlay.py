"""Text on the frames of a video."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from media_jobs.ffmpeg.capabilities import SHIPPED_FONT, Capabilities
from media_jobs.ffmpeg.filters import Filter, Value
from media_jobs.operations.building.overlay import Anchor, anchored, shown_between
from media_jobs.operations.building.sizes import FrameSize
from media_jobs.operations.building.time_range import (
    check_has_begun,
    check_has_frame,
    check_length,
)
from media_jobs.operations.building.video_filters import Canvas, Effect
from media_jobs.operations.core import NOT_BOOL, Colour, InvalidParams, Offset, Seconds, Source
from media_jobs.operations.core import Text as Words

USUAL_FONT = "DejaVu Sans"


class Text(Effect):
    """Write a text, letter for letter: nothing in it has a special meaning."""

    text: Words
    """What to write; a line break begins a new line."""
    position: Anchor = "bottom"
    """Where, unless ``x`` and ``y`` say it."""
    x: Offset | None = None
    """Left edge of the text."""
    y: Offset | None = None
    """Top edge of the text."""
    margin: Offset = 20
    """Distance from the edges."""
    font: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    """Family of an installed font; DejaVu Sans when absent."""
    font_size: Annotated[int, Field(ge=4, le=1000, json_schema_extra={"unit": "px"}), NOT_BOOL] = 36
    """Height of the letters."""
    color: Colour = "white"
    """Colour of the letters."""
    box: Colour | None = None
    """Colour of a box behind the text; none when absent."""
    start: Seconds | None = None
    """When it appears; at the beginning when absent."""
    end: Seconds | None = None
    """When it disappears; at the end when absent."""

    @model_validator(mode="after")
    def _has_both(self) -> Self:
        if (self.x is None) != (self.y is None):
            raise PydanticCustomError("position", "give both x and y, or a position")
        if self.end is not None and self.end <= (self.start or 0):
            raise PydanticCustomError("position", "end must lie behind start")
        return self

    def drawn(self, canvas: Canvas) -> tuple[list[Filter], FrameSize]:
        self._check_time(canvas.m.source)
        x, y = self._place()
        options: dict[str, Value] = {
            **font_option(self.font, canvas.m.capabilities),
            # Of a text whose first line is empty FFmpeg 9 draws nothing; a blank looks the same.
            "text": f" {self.text}" if self.text.startswith("\n") else self.text,
            # Else %{...} in the text would be evaluated.
            "expansion": "none",
            "x": x,
            "y": y,
            "fontsize": self.font_size,
            "fontcolor": self.color,
            **self._box(),
            **shown_between(self.start, self.end),
        }
        return [Filter("drawtext", cuda=None, **options)], canvas.size

    def _check_time(self, source: Source) -> None:
        """Refuse a text that no frame would show."""
        video, start = source.need_video(), self.start or 0.0
        check_has_frame(source, video, start)
        if 0 < source.video_duration_s() <= start:
            detail = f"the film ends at {source.video_duration_s():g} s"
            raise InvalidParams("start", detail, "out_of_range")
        if self.end is not None:
            check_has_begun(source, video, self.end, "end")
            check_length(source, video, self.end - start, "end")

    def _place(self) -> tuple[Value, Value]:
        if self.x is not None and self.y is not None:
            return self.x, self.y
        return anchored(self.position, self.margin, ("w", "h"), ("text_w", "text_h"))

    def _box(self) -> dict[str, Value]:
        if self.box is None:
            return {}
        return {"box": True, "boxcolor": self.box, "boxborderw": max(4, self.font_size // 4)}


def font_option(family: str | None, capabilities: Capabilities) -> dict[str, Value]:
    """A file where the fonts are known; a missing family is refused, never replaced."""
    if not capabilities.fonts:
        return {"font": family or USUAL_FONT}
    families = (family,) if family else (USUAL_FONT, SHIPPED_FONT)
    paths = [path for each in families if (path := capabilities.font_path(each))]
    if paths:
        return {"fontfile": paths[0]}
    if family is None:
        return {"fontfile": capabilities.fonts[0].path}
    listed = ", ".join(font.family for font in capabilities.fonts)
    raise InvalidParams("font", f"there is no font {family}; there are: {listed}", "unavailable")
