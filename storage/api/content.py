"""The bytes of a file over HTTP: whole or a range, streamed, with nothing held but the file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from ffapi_site.lib.database_release import release_connections
from ffapi_site.lib.dispositions import content_disposition
from ffapi_site.lib.problems import RangeNotSatisfiable
from storage import ranges, store
from storage.models import File
from storage.ranges import ByteRange

_CHUNK_BYTES = 256 * 1024
# Even what a browser shows in place can't run anything or reach our pages.
_POLICY = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
_ALWAYS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
}


class _Slice:
    """A part of a file, read as it is sent. It is closed with the response."""

    def __init__(self, content: BinaryIO, span: ByteRange) -> None:
        content.seek(span.start)
        self._content = content
        self._missing_bytes = span.size_bytes

    def _next(self) -> bytes:
        part = self._content.read(min(_CHUNK_BYTES, self._missing_bytes))
        self._missing_bytes -= len(part)
        return part

    def close(self) -> None:
        self._content.close()


class _SyncSlice(_Slice):
    def __iter__(self) -> Iterator[bytes]:
        while part := self._next():
            yield part


class _AsyncSlice(_Slice):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while part := await asyncio.to_thread(self._next):
                yield part
        finally:  # where the client leaves, nobody closes the response
            self.close()


def respond(request: HttpRequest, file: File, *, inline: bool) -> HttpResponseBase:
    """Answer a GET or HEAD for the bytes of ``file``; raises ``RangeNotSatisfiable``."""
    headers = _ALWAYS | {
        "Content-Type": file.content_type,
        "Content-Disposition": content_disposition(file.name, inline=inline),
        "ETag": f'"{file.sha256}"',
        "Cross-Origin-Resource-Policy": "cross-origin" if settings.MEDIA_ORIGIN else "same-origin",
    }
    if ranges.is_unchanged(request.headers.get("If-None-Match"), headers["ETag"]):
        kept = {name: headers[name] for name in ("ETag", "Cache-Control")}
        unchanged = HttpResponse(status=304, headers=kept)
        del unchanged["Content-Type"]  # there is no content
        return unchanged
    span = _span(request, file, headers["ETag"])
    if span:
        headers["Content-Range"] = span.content_range(file.size_bytes)
    sent, status = (span, 206) if span else (ByteRange(0, file.size_bytes), 200)
    headers["Content-Length"] = str(sent.size_bytes)
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    content = store.open_content(file)
    kind = _AsyncSlice if isinstance(request, ASGIRequest) else _SyncSlice
    response = StreamingHttpResponse(kind(content, sent), status=status, headers=headers)
    release_connections()  # sending takes as long as the client likes
    return response


def _span(request: HttpRequest, file: File, etag: str) -> ByteRange | None:
    if request.method != "GET" or not ranges.may_resume(request.headers.get("If-Range"), etag):
        return None
    try:
        return ranges.requested(request.headers.get("Range"), file.size_bytes)
    except ranges.Unsatisfiable as error:
        content_range = {"Content-Range": f"bytes */{file.size_bytes}"}
        detail = f"the file has {file.size_bytes} bytes"
        raise RangeNotSatisfiable(detail, headers=content_range) from error
