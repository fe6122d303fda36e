"""A file on its way in, whether its bytes came with the request or from an address."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict

from accounts.quotas import bounds, reservations
from accounts.web.caller import Caller
from ffapi_site.lib import bodies, netguard, ongoing, strict_json
from ffapi_site.lib.database_release import release_connections
from ffapi_site.lib.problems import Malformed, invalid
from ffapi_site.lib.streamed_body import FRAMING_BYTES
from ffapi_site.lib.url_policy import url_policy
from storage import intake
from storage.api.bodies import FileOptions, ImportRequest
from storage.intake import uploads
from storage.models import File
from storage.models.file import Origin
from storage.names import NameRefused, clean_name
from storage.sniff import Refused


@dataclass(frozen=True)
class Arrival:
    """Bytes in a temporary file. ``pointer`` names the field that they came by."""

    path: Path
    name: str
    declared_type: str
    origin: Origin
    pointer: str
    options: FileOptions
    hold: str = ""
    """The room that was kept for it when it began."""

    def take_in(self, caller: Caller) -> File:
        """Check and store it, not visible yet. Raises ``Invalid`` for what is not taken.

        Raises ``Unavailable`` where a virus scan is wanted and can't be had.
        """
        try:
            return intake.take_in(
                caller.tenant,
                self.path,
                name=self.options.name or clean_name(self.name),
                origin=self.origin,
                declared_type=self.declared_type,
                tags=self.options.tags,
                metadata=self.options.metadata,
                api_key_id=caller.api_key.pk,
                hold=self.hold,
            )
        except (NameRefused, Refused) as refused:
            raise invalid(self.pointer, refused.detail, refused.code) from refused


@dataclass(frozen=True)
class Upload:
    arrival: Arrival
    sha256: str
    fields: QueryDict


def uploaded(
    request: HttpRequest, caller: Caller, cleanup: ExitStack, *, is_repeated: bool = False
) -> Upload:
    """Read a multipart body; the temporary file and the room kept for it go with ``cleanup``.

    One that ``is_repeated`` is read to tell what it is, and gets no room before it is stored.
    """
    announced_bytes = int(request.META.get("CONTENT_LENGTH") or 0)
    most_bytes = bounds.of(caller.tenant, caller.api_key).file_bytes
    if announced_bytes > most_bytes + FRAMING_BYTES:
        raise uploads.too_large(most_bytes)
    cleanup.enter_context(ongoing.UPLOADS.one_of(caller.tenant.pk))
    hold = ""
    if not is_repeated:
        hold = reservations.hold_storage(caller.tenant.pk, caller.api_key.pk, announced_bytes)
        cleanup.callback(reservations.drop_hold, hold)
    release_connections()  # an upload takes as long as the client's line
    landing = cleanup.enter_context(uploads.landing(announced_bytes))
    part = uploads.receive(request, landing, most_bytes=most_bytes)
    options = _options(part.fields)
    said = (part.name, part.declared_type, Origin.UPLOAD, "/file", options, hold)
    arrival = Arrival(landing.path, *said)
    return Upload(arrival, part.sha256, part.fields)


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
    try:
        return strict_json.loads(str(given[name]).encode(), what="this text")
    except Malformed as error:
        raise invalid(f"/{name}", error.detail, error.code) from error


def imported(body: ImportRequest, caller: Caller, cleanup: ExitStack) -> Arrival:
    """Fetch the bytes from an address; the temporary file goes with ``cleanup``."""
    most_bytes = bounds.of(caller.tenant, caller.api_key).file_bytes
    cleanup.enter_context(ongoing.IMPORTS.one_of(caller.tenant.pk))
    release_connections()  # a download takes as long as the far end likes
    landing = cleanup.enter_context(uploads.landing(0))
    try:
        with landing.create() as target:
            found = netguard.download(
                body.url,
                target,
                policy=url_policy(),
                max_bytes=most_bytes,
                timeout_s=settings.DOWNLOAD_TIMEOUT_SECONDS,
            )
    except netguard.Refused as refused:
        raise invalid("/url", refused.detail, refused.code) from refused
    return Arrival(landing.path, found.name, found.content_type or "", Origin.URL, "/url", body)
