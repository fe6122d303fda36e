"""Change how a video looks."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field, model_validator

from media_jobs.ffmpeg.filters import Filter as Written
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.operations.building import (
    Blur,
    Brightness,
    Canvas,
    Contrast,
    Crop,
    Effect,
    Flip,
    Grayscale,
    OutputContainer,
    Rotate,
    Saturation,
    Scale,
    Text,
    edited_video,
    finish,
    kept_audio,
    made_even,
    result_file,
    size_after,
    squared,
    stored_size,
)
from media_jobs.operations.core import (
    Command,
    Example,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Parameters,
    Target,
    in_field,
)

T = TypeVar("T", bound=str)
E = TypeVar("E", bound=Effect)


class FilterStep(Parameters, Generic[T, E]):
    """One effect by name, with its own parameters."""

    # The schema says what the validator below allows.
    model_config = ConfigDict(json_schema_extra=lambda schema: schema.update(required=["type"]))

    type: T
    """Which effect."""
    params: E
    """The effect's parameters."""

    @model_validator(mode="before")
    @classmethod
    def _params_may_be_absent(cls, data: Any) -> Any:
        return {"params": {}} | data if isinstance(data, dict) else data

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        return f"{params[1].__name__}Filter"


AnyStep = Annotated[
    FilterStep[Literal["brightness"], Brightness]
    | FilterStep[Literal["contrast"], Contrast]
    | FilterStep[Literal["saturation"], Saturation]
    | FilterStep[Literal["grayscale"], Grayscale]
    | FilterStep[Literal["blur"], Blur]
    | FilterStep[Literal["rotate"], Rotate]
    | FilterStep[Literal["flip"], Flip]
    | FilterStep[Literal["crop"], Crop]
    | FilterStep[Literal["scale"], Scale]
    | FilterStep[Literal["text"], Text],
    Field(discriminator="type"),
]


def shown(title: str, *steps: dict[str, Any], **expect: Any) -> Example:
    return Example(title, {"input": "film"}, {"filters": list(steps)}, {"duration_s": 4} | expect)


class Filter(Operation):
    """Change how a video looks: a list of effects, applied in order.

    Every effect is ``{"type": …, "params": {…}}``. Sizes and places are in pixels of the frame as
    it is by then. The audio is kept as it is.
    """

    path = "video/filter"
    group = "video"
    device = "any"
    examples = (
        shown("brighter", {"type": "brightness", "params": {"value": 0.2}}, width=640),
        shown("more contrast", {"type": "contrast", "params": {"value": 1.5}}, width=640),
        shown("strong colours", {"type": "saturation", "params": {"value": 2}}, width=640),
        shown("no colours", {"type": "grayscale"}, width=640),
        shown("soft", {"type": "blur", "params": {"sigma": 8}}, width=640),
        shown("upright", {"type": "rotate", "params": {"angle": 90}}, width=360, height=640),
        shown("mirrored", {"type": "flip", "params": {"direction": "horizontal"}}, width=640),
        shown(
            "the middle",
            {"type": "crop", "params": {"width": 320, "height": 240}},
            width=320,
            height=240,
        ),
        shown("half the size", {"type": "scale", "params": {"width": 320}}, width=320, height=180),
        shown(
            "a title, small and grey",
            {"type": "scale", "params": {"height": 240}},
            {"type": "grayscale"},
            {"type": "text", "params": {"text": "It's 50%: done", "position": "top", "end": 2}},
            height=240,
        ),
    )

    input: MediaRef
    """The video."""
    filters: Annotated[tuple[AnyStep, ...], Field(min_length=1, max_length=100)]
    """The effects, in order."""

    def command(self, m: Media) -> Command:
        video, info, output = m.source.need_video(), m.source.info, OutputContainer.of(m.source)
        if len(self.filters) > m.max_filters:
            raise InvalidParams("filters", f"at most {m.max_filters} filters", "too_many")
        args = (
            *edited_video(m, output, video, self._written(m, video)),
            *kept_audio(m, output, info.audio),
            *finish(output.container),
        )
        length_s = m.source.duration_s or None
        file = result_file(m, output.container, streams=output.streams(info), duration_s=length_s)
        return m.ffmpeg(
            [Input(m.source, is_decoded_by_device=True)],
            [Target(args, file)],
            stage="filtering",
            duration_s=length_s,
        )

    def _written(self, m: Media, video: VideoStream) -> list[Written]:
        written = squared(video, m.device)
        size = size_after(stored_size(video), written)
        for place, step in enumerate(self.filters):
            with in_field(f"filters/{place}/params"):
                filters, size = step.params.drawn(Canvas(m, size))
            written += filters
        return [*written, *made_even(size)]
