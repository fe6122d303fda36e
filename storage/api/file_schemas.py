"""What the API takes and tells about files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr

from ffapi_site.lib.labels import Metadata, Tags
from ffapi_site.lib.web_addresses import LONGEST_URL
from storage.models import File
from storage.names import clean_name
from storage.signed_urls import download_url

Name = Annotated[StrictStr, AfterValidator(clean_name)]


class FileOptions(BaseModel):
    """What can be said about a file besides its bytes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: Name | None = None
    """The name to show and to download under; what the file brings along when absent."""
    tags: Tags = Field(default_factory=list)
    """Words to find the file by."""
    metadata: Metadata = Field(default_factory=dict)
    """Anything of yours, up to 16 KiB; comes back with the file."""


class ImportRequest(FileOptions):
    """A file to be fetched from an address."""

    url: StrictStr = Field(min_length=1, max_length=LONGEST_URL)
    """Where the bytes are: a public ``http`` or ``https`` address."""


class FileChanges(BaseModel):
    """What to change; fields that are absent stay as they are."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: Name = ""
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)


class FileBody(BaseModel):
    """A file, and where to get its bytes."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    name: str
    size_bytes: int
    content_type: str
    sha256: str
    media: dict[str, Any] | None
    """What a probe found in it; null for what has no streams."""
    tags: list[str]
    metadata: dict[str, Any]
    created_at: datetime
    expires_at: datetime | None
    """When it is removed."""
    download_url: str
    """Needs no key, and ends after a while; ask again for a fresh one."""


def to_json(file: File) -> dict[str, Any]:
    """One file in JSON types."""
    return FileBody(
        id=file.pk,
        name=file.name,
        size_bytes=file.size_bytes,
        content_type=file.content_type,
        sha256=file.sha256,
        media=file.media,
        tags=file.tags,
        metadata=file.metadata,
        created_at=file.created_at,
        expires_at=file.expires_at,
        download_url=download_url(file.pk),
    ).model_dump(mode="json")
