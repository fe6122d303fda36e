from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from storage.models import File
from storage.signed_urls import download_path

_SHOWN_KINDS = ("video", "audio", "image")


@dataclass(frozen=True)
class FileLink:
    """A file with the signed addresses under which a browser gets it."""

    file: File
    download_url: str
    inline_url: str

    @property
    def kind(self) -> str:
        """How a page shows it: video, audio, image, or empty for a mere download."""
        kind = self.file.content_type.partition("/")[0]
        return kind if kind in _SHOWN_KINDS else ""

    @property
    def duration_s(self) -> float | None:
        return (self.file.media or {}).get("duration_s") if self.kind != "image" else None

    @property
    def width(self) -> int | None:
        return self._picture.get("width")

    @property
    def height(self) -> int | None:
        return self._picture.get("height")

    @property
    def _picture(self) -> dict[str, Any]:
        return (self.file.media or {}).get("video") or {}


def link(file: File) -> FileLink:
    """Links within this site, so that pages work under any host name they are reached by.

    Media that have a host of their own are linked there.
    """
    url = f"{settings.MEDIA_ORIGIN}{download_path(file.pk)}"
    return FileLink(file, download_url=url, inline_url=f"{url}&disposition=inline")
