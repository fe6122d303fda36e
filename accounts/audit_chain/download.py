"""An export as a response: written down as a record first, then sent piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import IO, Final

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from accounts import audit
from accounts.audit_chain import bundle, serializers
from accounts.audit_chain.selection import Selection
from accounts.audit_events import AuditEvent
from accounts.models import AuditRecord
from ffapi_site.lib import ongoing, scope
from ffapi_site.lib.csv_cells import csv_text
from ffapi_site.lib.database_release import release_connections
from ffapi_site.lib.dispositions import content_disposition
from ffapi_site.lib.ids import new_id
from ffapi_site.lib.problems import FieldError, Invalid
from ffapi_site.lib.room import room_on

CONTENT_TYPES: Final = {
    "jsonl": "application/jsonl",
    "csv": "text/csv; charset=utf-8",
    "bundle": "application/zip",
}
FORMATS: Final = tuple(CONTENT_TYPES)
_CHUNK_RECORDS = 1000
_CHUNK_BYTES = 256 * 1024


def respond(request: HttpRequest, selection: Selection, form: str) -> StreamingHttpResponse:
    """Export the selection; raises ``Invalid`` where a bundle would have holes."""
    if form == "bundle" and not selection.is_whole:
        detail = "a bundle holds every record of a stretch of time: only start and end narrow it"
        raise Invalid(detail, errors=[FieldError("?format", detail, "invalid")])
    holder = selection.tenant_id or "the installation"
    place = ongoing.EXPORTS.take(holder)
    try:
        response = _response(request, selection, form)
    except BaseException:
        place.give_back()
        raise
    place.go_with(response)
    release_connections()
    return response


def _response(request: HttpRequest, selection: Selection, form: str) -> StreamingHttpResponse:
    told = selection.told() | {"format": form}
    export_id = audit.record(AuditEvent.AUDIT_EXPORTED, selection.tenant_id, details=told)
    if form == "bundle":
        chunks = _bundle(selection, export_id)
    else:
        chunks = _lines(selection, form, scope.current())
    made = f"{timezone.now():%Y%m%dT%H%M%SZ}"
    name = f"audit-log-{made}.{'zip' if form == 'bundle' else form}"
    return StreamingHttpResponse(
        _in_threads(chunks) if isinstance(request, ASGIRequest) else chunks,
        headers={
            "Content-Type": CONTENT_TYPES[form],
            "Content-Disposition": content_disposition(name),
            "Cache-Control": "no-store",
        },
    )


def _lines(selection: Selection, form: str, seen: str) -> Iterator[bytes]:
    """The newest last, each piece with a query of its own: nothing is held while a client reads.

    It runs after the request, within nobody's scope: ``seen`` is the request's.
    """
    write: Callable[[AuditRecord], str] = serializers.json_line
    if form == "csv":
        write = serializers.csv_line
        yield csv_text([serializers.CSV_COLUMNS]).encode()
    after = ""
    while True:
        with scope.within(seen):
            rows = selection.records().filter(pk__gt=after).order_by("pk")
            found = list(rows[:_CHUNK_RECORDS])
        if not found:
            return
        after = found[-1].pk
        yield "".join(map(write, found)).encode()


def _bundle(selection: Selection, export_id: str) -> Iterator[bytes]:
    """Made before anything is sent: what is wrong is told by the status."""
    path = Path(str(settings.FILE_UPLOAD_TEMP_DIR)) / f"{new_id('upload')}.part"
    with room_on(path.parent) as room:
        file = room.create(path, mode="x+b")
        path.unlink()  # it is gone when it was sent, or whatever else closes it
        try:
            bundle.write(selection, export_id, file)
            file.seek(0)
        except BaseException:
            file.close()
            raise
    return _read(file)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(_CHUNK_BYTES):
            yield part


async def _in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    def step() -> bytes | None:
        try:
            return next(chunks, None)
        finally:
            connection.close()  # this thread may not come again

    while (part := await asyncio.to_thread(step)) is not None:
        yield part
