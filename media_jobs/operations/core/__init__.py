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
from media_jobs.operations.core.errors import InvalidParams, InvalidParamsGroup, UnknownOperation
from media_jobs.operations.core.media import Input, Media, Result, Source, Target
from media_jobs.operations.core.parsing import as_sent, from_flat, media_fields, media_params, parse
from media_jobs.operations.core.references import MediaRef, Ref, media_refs

__all__ = [
    "REGISTRY",
    "Command",
    "Example",
    "Input",
    "InvalidParams",
    "InvalidParamsGroup",
    "Media",
    "MediaRef",
    "Operation",
    "OutputFile",
    "Parameters",
    "Ref",
    "Result",
    "Source",
    "Step",
    "Steps",
    "Target",
    "UnknownOperation",
    "as_sent",
    "find",
    "from_flat",
    "media_fields",
    "media_params",
    "media_refs",
    "parse",
]
