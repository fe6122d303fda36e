"""A multipart body as the API takes it: a file, and what is said about it in fields beside it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from ffapi_site.lib import bodies, strict_json
from ffapi_site.lib.problems import at
from ffapi_site.lib.streamed_body import FRAMING_BYTES
from storage import intake
from storage.api.file_schemas import FileOptions
from storage.models.file import Origin


@dataclass(frozen=True)
class Upload:
    arrival: intake.Arrival
    options: FileOptions
    fields: QueryDict


def read(
    request: HttpRequest, sender: intake.Sender, cleanup: ExitStack, *, is_repeated: bool
) -> Upload:
    """Read the body; the bytes and the room kept for them go with ``cleanup``.

    One that ``is_repeated`` is read to tell what it is, and no storage is kept for it.
    """
    place = cleanup.enter_context(
        intake.place_for_upload(
            sender,
            int(request.META.get("CONTENT_LENGTH") or 0),
            framing_bytes=FRAMING_BYTES,
            keeps_storage=not is_repeated,
        )
    )
    part = intake.receive(request, place)
    options = _options(part.fields)
    said = (part.name, part.declared_type, Origin.UPLOAD, "/file")
    return Upload(intake.Arrival(sender, place, *said, part.sha256), options, part.fields)


def _options(fields: QueryDict) -> FileOptions:
    """Read the fields beside the file: ``tags`` repeated or a JSON list, ``metadata`` as JSON."""
    given: dict[str, Any] = {
        name: values[0] if len(values) == 1 else values for name, values in fields.lists()
    }
    if "tags" in given:
        is_list = isinstance(given["tags"], list)
        is_json = not is_list and given["tags"].startswith("[")
        given["tags"] = _json(given, "tags") if is_json else fields.getlist("tags")
    if "metadata" in given:
        given["metadata"] = _json(given, "metadata")
    return bodies.read(FileOptions, given)


def _json(given: dict[str, Any], name: str) -> Any:
    with at(f"/{name}"):
        return strict_json.loads(str(given[name]).encode(), what="this text")
