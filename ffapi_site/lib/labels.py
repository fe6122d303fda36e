"""What a tenant says of its own about a file or a job: tags and metadata, bounded once for both."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictStr

from ffapi_site.lib.refusal import Refusal
from ffapi_site.lib.shorten import fits

MOST_TAGS = 32
LONGEST_TAG = 64
METADATA_BYTES = 16 << 10


def check_tags(tags: Collection[str]) -> None:
    if len(tags) > MOST_TAGS or any(not 0 < len(tag) <= LONGEST_TAG for tag in tags):
        detail = f"at most {MOST_TAGS} tags of 1 to {LONGEST_TAG} characters"
        raise Refusal("invalid", detail)


def check_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    if not fits(metadata, METADATA_BYTES):
        raise Refusal("too_large", f"at most {METADATA_BYTES} bytes of JSON")
    return metadata


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text can't hold the NUL character")
    return text


Tag = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_TAG), AfterValidator(_storable)]
Tags = Annotated[list[Tag], Field(max_length=MOST_TAGS)]
Metadata = Annotated[dict[str, Any], AfterValidator(check_metadata)]
