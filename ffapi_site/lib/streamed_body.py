"""An ASGI handler whose views read the body while it arrives.

Django's own spools the whole body before anybody looks at the request: a stranger could fill the
disk, and an upload would be written twice. Here the view's thread pulls the body from the server;
a key is checked first, and a client that is too big or too slow is stopped on the way.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.http import FileResponse
from django.urls import set_script_prefix

from ffapi_site.lib.database_release import release_connections

T = TypeVar("T")

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

FRAMING_BYTES = 1024 * 1024  # what fields and boundaries may add to a file of the largest size
_SLOWEST_BYTES_PER_S = 1000
_DISCONNECT: Mapping[str, Any] = {"type": "http.disconnect"}
_LEFT_BYTES = 16 * 1024 * 1024  # what is still taken of a body that was refused
_LEFT_S = 5.0
_READ_AT_ONCE_BYTES = 64 * 1024  # such bodies are mostly here with their headers


class StreamedBody(io.RawIOBase):
    """A request's body as a file for the view's thread, and the server's ``receive`` for Django.

    Reading raises ``OSError`` where the client went away or is too slow, and
    ``RequestDataTooBig`` where it sends more than any view takes.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._started_at = time.monotonic()
        self._received_bytes = 0
        self._chunk = memoryview(b"")
        self._ended = asyncio.Event()
        self._is_cut = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._chunk and not self._ended.is_set():
            self._wait_for_chunk()
        if self._is_cut:
            raise ConnectionAbortedError("the client left or stalled before the body's end")
        size = min(len(buffer), len(self._chunk))
        buffer[:size] = self._chunk[:size]
        self._chunk = self._chunk[size:]
        return size

    def read(self, size: int | None = -1) -> bytes:
        """Read ``size`` bytes, fewer only at the end; without a size what fits into memory."""
        bound = size if size is not None and size >= 0 else _in_memory_bytes() + 1
        parts: list[bytes] = []
        missing = bound
        while missing and (part := super().read(missing)):
            parts.append(part)
            missing -= len(part)
        if not missing and bound != size:
            raise RequestDataTooBig("the body is larger than one that is read into memory")
        return b"".join(parts)

    def _wait_for_chunk(self) -> None:
        if asyncio._get_running_loop() is self._loop:  # noqa: SLF001 -- the one that can be None
            raise RuntimeError("the body can only be read in a thread, not on the event loop")
        release_connections()  # it takes as long as the client likes
        asyncio.run_coroutine_threadsafe(self.pull(), self._loop).result()

    def _patience_s(self) -> float:
        """Seconds to wait for the next bytes: a stall ends it, and so does a trickle."""
        stall_s = float(settings.CLIENT_STALL_SECONDS)
        earned_s = stall_s + self._received_bytes / _SLOWEST_BYTES_PER_S
        return max(0.0, min(stall_s, earned_s - (time.monotonic() - self._started_at)))

    async def pull(self) -> None:
        """Take the next message from the server. On the event loop."""
        try:
            message = await asyncio.wait_for(self._receive(), self._patience_s())
        except TimeoutError:
            message = _DISCONNECT
        self._is_cut = message["type"] == "http.disconnect"
        self._chunk = memoryview(message.get("body", b""))
        self._received_bytes += len(self._chunk)
        if self._is_cut or not message.get("more_body", False):
            self._ended.set()
        if self._received_bytes > settings.MAX_FILE_SIZE_BYTES + FRAMING_BYTES:
            raise RequestDataTooBig("the body is larger than any that is taken")

    async def gather(self) -> int:
        """Take a body of unknown length as far as it fits into memory; returns its size so far."""
        parts: list[bytes] = []
        while not (self._ended.is_set() or self._received_bytes > _in_memory_bytes()):
            await self.pull()
            parts.append(bytes(self._chunk))
        self._chunk = memoryview(b"".join(parts))
        return self._received_bytes

    async def leave(self) -> None:
        """Take the rest of a body that nobody reads, within bounds, before its answer is sent.

        A connection closed with bytes still unread is reset, and the answer lost with it.
        """
        bound = self._received_bytes + _LEFT_BYTES
        with contextlib.suppress(TimeoutError, RequestDataTooBig):
            async with asyncio.timeout(_LEFT_S):
                while not self._ended.is_set() and self._received_bytes < bound:
                    await self.pull()
                    self._chunk = memoryview(b"")

    async def wait_for_disconnect(self) -> None:
        """Return when the client leaves after its body.

        Where the body was cut, its reader is told and answers: the client may still listen.
        """
        await self._ended.wait()
        if self._is_cut:
            await asyncio.Event().wait()
        await self._receive()


class StreamingASGIHandler(ASGIHandler):
    """Django's handler, with one way from the event loop to a thread for a request, and one back.

    All that is Django's, from the first middleware to the last, runs in that thread; Django's own
    goes back and forth between the loop and threads at each middleware that could do without one.
    """

    def __init__(self) -> None:
        super().__init__()
        # A thread for each client that there may be: one that waits must not hold up another.
        self._threads = ThreadPoolExecutor(settings.MAX_CONNECTIONS, thread_name_prefix="request")

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 -- Django's
        super().load_middleware(is_async=False)

    async def handle(self, scope: Any, receive: Receive, send: Any) -> None:
        body = StreamedBody(receive)
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        is_chunked = b"transfer-encoding" in headers
        if is_chunked and not headers.get(b"content-type", b"").startswith(b"multipart/"):
            # Django and its parsers take a body without a length for an empty one.
            counted = (b"content-length", b"%d" % await body.gather())
            scope = scope | {"headers": [*scope["headers"], counted]}
        elif not is_chunked and length.isdigit() and int(length) <= _READ_AT_ONCE_BYTES:
            await body.gather()  # a slow one has no thread before it is here

        async def send_after_body(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                await body.leave()
            await send(message)

        response = await self._in_thread(self._respond, scope, body)
        if response.streaming:
            await self._stream(response, body, send_after_body)
        else:
            await self.send_response(response, send_after_body)

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        hop = sync_to_async(work, thread_sensitive=False, executor=self._threads)
        return await hop(*arguments)

    def _respond(self, scope: Any, body: StreamedBody) -> Any:
        """Answer as Django's handlers do, and end the request where nothing is to be streamed."""
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self.get_response(request)
        response._handler_class = type(self)  # noqa: SLF001 -- as Django's handlers do
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if response.streaming:
            release_connections()  # they are this thread's, and the end may come in another
        else:
            response.close()
        return response

    async def _stream(self, response: Any, body: StreamedBody, send: Any) -> None:
        """Send for as long as the client is there."""
        sending = asyncio.create_task(self.send_response(response, send))
        leaving = asyncio.create_task(body.wait_for_disconnect())
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (leaving, sending):
                task.cancel()
            try:
                with contextlib.suppress(asyncio.CancelledError):
                    await sending
            finally:
                await self._in_thread(response.close)

    def create_request(self, scope: Any, body_file: Any) -> Any:
        try:
            return super().create_request(scope, body_file)
        except (ValueError, LookupError):  # a parameter in an encoding that nobody knows
            kept = [each for each in scope["headers"] if each[0] != b"content-type"]
            return super().create_request(scope | {"headers": kept}, body_file)


def _in_memory_bytes() -> int:
    bound: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return bound
