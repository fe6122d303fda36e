"""The files of a command, under the aliases by which it names them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from media_jobs.ffmpeg.command_line.muxers import BY_EXTENSION
from media_jobs.ffmpeg.command_line.tokens import ALIAS
from media_jobs.operations.core import MediaRef

MOST_FILES = 50
_REFERENCE = {"url", "file"}


def extension(name: str) -> str:
    return name.rpartition(".")[2].lower()


def file_name(name: str) -> str:
    if not name.isprintable() or any(char in name for char in "/\\") or name.startswith("."):
        raise PydanticCustomError("file_name", "should be a plain name, without a folder")
    if "." not in name or extension(name) not in BY_EXTENSION:
        listed = ", ".join(BY_EXTENSION)
        raise PydanticCustomError(
            "file_name", "should end in one of these: {listed}", {"listed": listed}
        )
    return name


def not_a_reference(alias: str) -> str:
    if alias in _REFERENCE:
        raise PydanticCustomError("alias", "this word says what a reference is; use another alias")
    return alias


Alias = Annotated[str, StringConstraints(pattern=f"^{ALIAS}$"), AfterValidator(not_a_reference)]
FileName = Annotated[
    str, StringConstraints(min_length=3, max_length=150), AfterValidator(file_name)
]


def _named(start: str, value: Any) -> Any:
    """A list is numbered from 1, a single file the first of one."""
    if isinstance(value, list | tuple):
        return {f"{start}_{number}": each for number, each in enumerate(value, start=1)}
    is_reference = isinstance(value, Mapping) and len(value) == 1 and set(value) <= _REFERENCE
    if is_reference or isinstance(value, str | MediaRef):
        return {f"{start}_1": value}
    return value


def _also_a_list(schema: dict[str, Any]) -> None:
    # pydantic writes the pattern of the aliases as the pattern of the object's members.
    (schema["items"],) = schema["patternProperties"].values()
    schema["additionalProperties"] = False
    schema["type"] = ["object", "array", "string"]


_SHAPE = Field(min_length=1, max_length=MOST_FILES, json_schema_extra=_also_a_list)
InputFiles = Annotated[dict[Alias, MediaRef], _SHAPE, BeforeValidator(partial(_named, "in"))]
OutputFiles = Annotated[dict[Alias, FileName], _SHAPE, BeforeValidator(partial(_named, "out"))]
