"""References to media in parameters: an address or the id of a stored file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from ffapi_site.lib.web_addresses import LONGEST_URL

_FILE_ID = re.compile(r"file_[0-9a-z]{1,64}")
_BLANK = re.compile(r"[\x00- \x7f]")
_WANTED: LiteralString = "give an http(s) address or the id of a file (file_…)"

_TOO_LONG: LiteralString = "an address has at most {most} characters"
_BLANKS: LiteralString = "an address holds no spaces or control characters: write a space as %20"


class MediaRef(BaseModel):
    """A URL string, a file id, ``{"url": …}`` or ``{"file": …}``; exactly one of the two is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = None
    file: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, dict | MediaRef):
            return value
        if not isinstance(value, str):
            raise PydanticCustomError("media_reference", _WANTED)
        return {"file": value} if _FILE_ID.fullmatch(value) else {"url": value}

    @model_validator(mode="after")
    def _is_one_reference(self) -> Self:
        if (self.url is None) == (self.file is None):
            raise PydanticCustomError("media_reference", "name either a url or a file")
        if self.file is not None and not _FILE_ID.fullmatch(self.file):
            raise PydanticCustomError("media_reference", "this is not the id of a file")
        if self.url is None:
            return self
        if len(self.url) > LONGEST_URL:
            raise PydanticCustomError("media_reference", _TOO_LONG, {"most": LONGEST_URL})
        if self.url.startswith(("http://", "https://")) and _BLANK.search(self.url):
            raise PydanticCustomError("media_reference", _BLANKS)
        if not is_web_address(self.url):
            raise PydanticCustomError("media_reference", _WANTED)
        return self

    @model_serializer
    def _as_text(self) -> str:
        return self.url or self.file or ""

    @classmethod
    def __get_pydantic_json_schema__(
        cls,
        core: CoreSchema,
        handler: GetJsonSchemaHandler,
    ) -> JsonSchemaValue:
        return {
            "title": "Media reference",
            "x-media": True,
            "anyOf": [
                {
                    "type": "string",
                    "maxLength": LONGEST_URL,
                    "description": "An http(s) address, or the id of a file",
                },
                one_member("url", format="uri", maxLength=LONGEST_URL),
                one_member("file", format="file-id"),
            ],
        }


@dataclass(frozen=True)
class Ref:
    """``role`` says where it stood: "input", "inputs/0", "tracks/2/url"."""

    role: str
    ref: MediaRef


def one_member(name: str, **form: str | int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": "string", **form}},
        "required": [name],
        "additionalProperties": False,
    }


def is_web_address(url: str) -> bool:
    """The spelling only; whether the address may be fetched is decided where it is."""
    if _BLANK.search(url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def media_refs(value: object, role: str = "") -> list[Ref]:
    """All references in a declaration, in the order of its fields, wherever they are nested."""
    if isinstance(value, MediaRef):
        return [Ref(role, value)]
    return [
        ref for key, each in members(value) for ref in media_refs(each, f"{role}/{key}".strip("/"))
    ]


def members(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, BaseModel):
        yield from ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, tuple):
        yield from ((str(place), each) for place, each in enumerate(value))
