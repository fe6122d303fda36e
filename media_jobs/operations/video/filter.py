"""Change how a film looks."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field, model_validator

from media_jobs.ffmpeg.filters import Filter as Written
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.operations.building.encoding import finish, result_file
from media_jobs.operations.building.reencode import Form, edited_video, kept_audio
from media_jobs.operations.building.sizes import made_even, shape_after, squared, stored_shape
from media_jobs.operations.building.text_overlay import Text
from media_jobs.operations.building.video_filters import (
    Blur,
    Brightness,
    Canvas,
    Contrast,
    Crop,
    Effect,
    Flip,
    Grayscale,
    Rotate,
    Saturation,
    Scale,
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
)

T = TypeVar("T", bound=str)
E = TypeVar("E", bound=Effect)


class Step(Parameters, Generic[T, E]):
    """One effect by name, with its own parameters."""

    model_config = ConfigDict(
        # The schema says what the validator below allows.
        json_schema_extra=lambda schema: schema.update(required=["type"]),
        # pydantic would look for the source of each kind of it, which has none, in every frame of
        # the stack: half of the time in which Django starts.
        use_attribute_docstrings=False,
    )

    type: T = Field(description="Which effect.")
    params: E = Field(description="The effect's parameters.")

    @model_validator(mode="before")
    @classmethod
    def _params_may_be_absent(cls, data: Any) -> Any:
        return {"params": {}} | data if isinstance(data, dict) else data

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        return f"{params[1].__name__}Filter"


AnyStep = Annotated[
    Step[Literal["brightness"], Brightness]
    | Step[Literal["contrast"], Contrast]
    | Step[Literal["saturation"], Saturation]
    | Step[Literal["grayscale"], Grayscale]
    | Step[Literal["blur"], Blur]
    | Step[Literal["rotate"], Rotate]
    | Step[Literal["flip"], Flip]
    | Step[Literal["crop"], Crop]
    | Step[Literal["scale"], Scale]
    | Step[Literal["text"], Text],
    Field(discriminator="type"),
]


def shown(title: str, *steps: dict[str, Any], **expect: Any) -> Example:
    return Example(title, {"input": "film"}, {"filters": list(steps)}, {"duration_s": 4} | expect)


class Filter(Operation):
    """Change how a film looks: a list of effects, applied in order.

    Every effect is ``{"type": …, "params": {…}}``. Sizes and places are in pixels of the picture
    as it is by then. The sound is kept as it is.
    """

    path: ClassVar[str] = "video/filter"
    group: ClassVar[str] = "video"
    device: ClassVar[Literal["any", "cpu", "gpu"]] = "any"
    examples: ClassVar[tuple[Example, ...]] = (
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
    """The film."""
    filters: Annotated[tuple[AnyStep, ...], Field(min_length=1, max_length=100)]
    """The effects, in order."""

    def command(self, m: Media) -> Command:
        film, info, form = m.source.need_film(), m.source.info, Form.of(m.source)
        if len(self.filters) > m.max_filters:
            raise InvalidParams("filters", f"at most {m.max_filters} filters", "too_many")
        args = (
            *edited_video(m, form, film, self._written(m, film)),
            *kept_audio(m, form, info.audio),
            *finish(form.container),
        )
        length_s = m.source.duration_s or None
        file = result_file(m, form.container, streams=form.streams(info), duration_s=length_s)
        return m.ffmpeg(
            [Input(m.source, is_decoded_by_device=True)],
            [Target(args, file)],
            stage="filtering",
            duration_s=length_s,
        )

    def _written(self, m: Media, film: VideoStream) -> list[Written]:
        written = squared(film, m.device)
        shape = shape_after(stored_shape(film), written)
        for place, step in enumerate(self.filters):
            try:
                filters, shape = step.params.drawn(Canvas(m, shape))
            except InvalidParams as error:
                field = f"filters/{place}/params/{error.field}"
                raise InvalidParams(field, error.detail, error.code) from error
            written += filters
        return [*written, *made_even(shape)]
