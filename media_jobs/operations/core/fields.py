"""The types of parameters: a unit, a range and a word for each, written once.

``unit`` in a schema is what forms and documents print behind the number.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError


def refuse_bool(value: Any) -> Any:
    """``true`` is not the number 1, though Python says so."""
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "a number is wanted, not true or false")
    return value


def printable(value: str) -> str:
    if any(ord(char) < 32 and char != "\n" for char in value):
        raise PydanticCustomError("control_character", "holds a control character")
    return value


def frame_rate(value: str) -> str:
    """A number of frames or a ratio; kept as it was written, for 30000/1001 is no decimal."""
    try:
        rate = Fraction(value)
    except (ValueError, ZeroDivisionError) as error:
        raise PydanticCustomError("frame_rate", "write 25, 29.97 or 30000/1001") from error
    if not 1 <= rate <= 240:
        raise PydanticCustomError("frame_rate", "must be from 1 to 240")
    return value


def even(value: int) -> int:
    if value % 2:
        raise PydanticCustomError("multiple_of", "should be an even number")
    return value


def number_as_text(value: Any) -> Any:
    value = refuse_bool(value)
    return f"{value:g}" if isinstance(value, int | float) else value


_BITRATE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([kM]?)")
_BITRATE_UNITS = {"": 1, "k": 1_000, "M": 1_000_000}


def bits_per_second(value: str) -> float:
    found = _BITRATE.fullmatch(value)
    return float(found.group(1)) * _BITRATE_UNITS[found.group(2)] if found else 0.0


def bitrate(value: str) -> str:
    if not 8_000 <= bits_per_second(value) <= 400_000_000:
        raise PydanticCustomError("bitrate", "write 192k or 5M, from 8k to 400M")
    return value


# Comes last in a type, so that bounds stay part of the number's own schema.
NOT_BOOL = BeforeValidator(refuse_bool)

Seconds = Annotated[float, Field(ge=0, le=864_000, json_schema_extra={"unit": "s"}), NOT_BOOL]
Duration = Annotated[float, Field(gt=0, le=864_000, json_schema_extra={"unit": "s"}), NOT_BOOL]
Pixels = Annotated[int, Field(ge=1, le=16_384, json_schema_extra={"unit": "px"}), NOT_BOOL]
Offset = Annotated[int, Field(ge=0, le=16_384, json_schema_extra={"unit": "px"}), NOT_BOOL]
EvenPixels = Annotated[
    int,
    Field(ge=16, le=8192, json_schema_extra={"unit": "px", "multipleOf": 2}),
    # Not pydantic's own, which is asked before the range and hides it.
    AfterValidator(even),
    NOT_BOOL,
]
Degrees = Annotated[float, Field(ge=-360, le=360, json_schema_extra={"unit": "°"}), NOT_BOOL]
Lufs = Annotated[float, Field(ge=-70, le=-5, json_schema_extra={"unit": "LUFS"}), NOT_BOOL]
TruePeak = Annotated[float, Field(ge=-9, le=0, json_schema_extra={"unit": "dBTP"}), NOT_BOOL]
LoudnessRange = Annotated[float, Field(ge=1, le=50, json_schema_extra={"unit": "LU"}), NOT_BOOL]
SampleRate = Annotated[int, Field(ge=8_000, le=192_000, json_schema_extra={"unit": "Hz"}), NOT_BOOL]
Channels = Annotated[int, Field(ge=1, le=8), NOT_BOOL]
Crf = Annotated[int, Field(ge=0, le=63), NOT_BOOL]
FrameRate = Annotated[
    str,
    BeforeValidator(number_as_text),
    AfterValidator(frame_rate),
    Field(
        examples=["25", "30000/1001"],
        json_schema_extra={"type": ["string", "number"], "unit": "frames/s"},
    ),
]
Bitrate = Annotated[
    str,
    BeforeValidator(number_as_text),
    AfterValidator(bitrate),
    Field(
        examples=["192k", "5M"],
        json_schema_extra={"type": ["string", "number"], "unit": "bit/s"},
    ),
]
Colour = Annotated[
    str,
    # A name of FFmpeg's list or #RRGGBB, with an opacity after an @ as FFmpeg writes it.
    StringConstraints(pattern=r"^([A-Za-z]{3,24}|#[0-9A-Fa-f]{6})(@(0(\.\d+)?|1(\.0+)?))?$"),
    Field(examples=["white", "#ffcc00", "black@0.5"]),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(printable)]
