"""The door of this package: all that operations, the engine and the surfaces take from it."""

from __future__ import annotations

from media_jobs.ffmpeg.command import Command, OutputFile
from media_jobs.operations.core.declaration import (
    REGISTRY,
    Example,
    Operation,
    Parameters,
    Step,
    Steps,
    find,
)
from media_jobs.operations.core.driver import drive, plan
from media_jobs.operations.core.errors import (
    InvalidParams,
    InvalidParamsGroup,
    UnknownOperation,
    in_field,
)
from media_jobs.operations.core.fields import (
    NOT_BOOL,
    Bitrate,
    Channels,
    Colour,
    Crf,
    Degrees,
    Duration,
    EvenPixels,
    FrameRate,
    LoudnessRange,
    Lufs,
    Offset,
    Pixels,
    SampleRate,
    Seconds,
    Text,
    TruePeak,
    bits_per_second,
)
from media_jobs.operations.core.media import GLOBAL_ARGS, Media, Readable, Result, Target
from media_jobs.operations.core.parsing import (
    as_sent,
    from_flat,
    media_aliases,
    media_fields,
    media_params,
    parse,
)
from media_jobs.operations.core.references import MediaRef, Ref, media_refs
from media_jobs.operations.core.samples import SAMPLES, Sample
from media_jobs.operations.core.source import LEAST_S, Args, Input, Source

__all__ = [
    "GLOBAL_ARGS",
    "LEAST_S",
    "NOT_BOOL",
    "REGISTRY",
    "SAMPLES",
    "Args",
    "Bitrate",
    "Channels",
    "Colour",
    "Command",
    "Crf",
    "Degrees",
    "Duration",
    "EvenPixels",
    "Example",
    "FrameRate",
    "Input",
    "InvalidParams",
    "InvalidParamsGroup",
    "LoudnessRange",
    "Lufs",
    "Media",
    "MediaRef",
    "Offset",
    "Operation",
    "OutputFile",
    "Parameters",
    "Pixels",
    "Readable",
    "Ref",
    "Result",
    "Sample",
    "SampleRate",
    "Seconds",
    "Source",
    "Step",
    "Steps",
    "Target",
    "Text",
    "TruePeak",
    "UnknownOperation",
    "as_sent",
    "bits_per_second",
    "drive",
    "find",
    "from_flat",
    "in_field",
    "media_aliases",
    "media_fields",
    "media_params",
    "media_refs",
    "parse",
    "plan",
]
