"""Content types other than JSON; what they name is sent as the view made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer


class _AsMade(BaseRenderer):
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002 -- DRF's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        return data


class PlainText(_AsMade):
    media_type = "text/plain"
    format = "txt"


class Csv(_AsMade):
    media_type = "text/csv"
    format = "csv"


class EventStream(_AsMade):
    media_type = "text/event-stream"
    format = "events"


class AnyContent(_AsMade):
    """For files: whatever the client accepts, it gets what the file is."""

    media_type = "*/*"
    format = "file"
