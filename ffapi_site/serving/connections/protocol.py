"""Gunicorn's connection with an end to every wait for the client, and without lost answers.

What the base class leaves open: a client that never sends its request, or half of its headers, is
waited for without end; so is one that does not read its answer. A connection that is closed with
bytes of the client's still unread is reset by the kernel, and what was answered is lost with it.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

from django.conf import settings
from gunicorn.asgi.protocol import ASGIProtocol

from ffapi_site.lib.client_address import limited_address
from ffapi_site.serving.connections.crowd import Crowd
from ffapi_site.serving.connections.refusal import refusal

# After the answer the client is given so long to close its end, and so much that it may still send.
_LINGER_S = 2.0
_LINGER_BYTES = 4 * 1024 * 1024
_BUSY = (("Retry-After", "5"),)


class Connection(ASGIProtocol):
    """One client's connection; ``worker.crowd`` says whether there is a place for it."""

    _headers_timer: asyncio.TimerHandle | None = None
    _reading_timer: asyncio.TimerHandle | None = None
    _linger_timer: asyncio.TimerHandle | None = None
    _left_bytes = 0
    _has_begun = False
    """Has any of the next request come?"""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        _end_with_peer(transport)
        peer = transport.get_extra_info("peername")
        address = limited_address(peer[0]) if isinstance(peer, tuple) else ""
        if self._crowd.enter(self, address):
            self._await_headers()
        elif self._crowd.turn_away(self):
            self._send_error_response(503, "too many connections", _BUSY)
            self._close_transport()
        else:
            self.make_room()

    def data_received(self, data: bytes) -> None:
        if self._closed:
            return self._drop(data)
        if self._current_request is None and not self._has_begun:
            self._has_begun = True
            self._cancel_keepalive_timer()
            self._await_headers()
        try:
            super().data_received(data)
        except ValueError:
            # The parser reads numbers of any length; Python refuses them from 4,300 digits on.
            self._send_error_response(400, "the request has a number that can't be read")
            self._close_transport()
            self._request_ready.set()  # or its task would wait on
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._headers_timer, self._reading_timer, self._linger_timer):
            if timer:
                timer.cancel()
        self._crowd.leave(self)
        super().connection_lost(exc)

    def make_room(self) -> None:
        self._closed = True
        self.transport.abort()

    @property
    def _crowd(self) -> Crowd:
        return cast("Crowd", self.worker.crowd)

    # -- The request

    def _await_headers(self) -> None:
        if self._headers_timer is None:
            self._headers_timer = self.worker.loop.call_later(
                settings.HEADER_TIMEOUT_SECONDS, self._headers_are_late
            )

    def _headers_are_late(self) -> None:
        if self._has_begun:
            self._send_error_response(408, "the request's headers did not come in time")
        self._close_transport()
        self._request_ready.set()  # or its task would wait on

    def _on_headers_complete(self) -> bool:
        if self._headers_timer:
            self._headers_timer.cancel()
            self._headers_timer = None
        self._has_begun = False
        self._crowd.work(self)
        return cast("bool", super()._on_headers_complete())

    def _arm_keepalive_timer(self) -> None:
        super()._arm_keepalive_timer()
        self._crowd.wait(self)

    def _is_websocket_upgrade(self, _request: Any) -> bool:
        """Answer in HTTP, as a server may that knows no other protocol (RFC 9110, 7.8)."""
        return False

    # -- The answer

    def _send_error_response(
        self, status: int, message: str, extra_headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Answer in the form of every other error; the base class would in plain text."""
        status, body = refusal(status, message)
        headers = (
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(body))),
            *extra_headers,
            ("Connection", "close"),
        )
        head = f"HTTP/1.1 {status} {self._get_reason_phrase(status)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers)
        self._safe_write(f"{head}\r\n".encode("latin-1") + body)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading_timer = self.worker.loop.call_later(
            settings.CLIENT_STALL_SECONDS, self.transport.abort
        )

    def resume_writing(self) -> None:
        if self._reading_timer:
            self._reading_timer.cancel()
            self._reading_timer = None
        super().resume_writing()

    def _close_transport(self) -> None:
        """Say that nothing more comes, and take what the client still sends, before closing."""
        if self.transport is None or self._closed:
            return
        self._closed = True
        self._resume_reading()
        if self.transport.is_closing():
            self._close_for_good()
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._linger_timer = self.worker.loop.call_later(_LINGER_S, self._close_for_good)

    def _close_for_good(self) -> None:
        """Close once all is sent; where the client leaves the rest unread, without that."""
        self.transport.close()
        if unsent := self.transport.get_write_buffer_size():
            self._crowd.wait(self)  # it makes room for another meanwhile
            self._end_where_stalled(unsent)

    def _end_where_stalled(self, unsent_before: int) -> None:
        def look() -> None:
            unsent = self.transport.get_write_buffer_size()
            if unsent >= unsent_before:
                self.transport.abort()
            else:
                self._end_where_stalled(unsent)

        if self._linger_timer:
            self._linger_timer.cancel()
        self._linger_timer = self.worker.loop.call_later(settings.CLIENT_STALL_SECONDS, look)

    def _drop(self, data: bytes) -> None:
        self._left_bytes += len(data)
        if self._left_bytes > _LINGER_BYTES:
            self.transport.close()


def _end_with_peer(transport: Any) -> None:
    """Let the kernel end the connection of a machine that is gone, also while nothing is sent.

    So, too, where it takes nothing of what there is for it: below the size at which writing pauses
    the event loop isn't told. Later than that would act, as the kernel resets the connection.
    """
    found = transport.get_extra_info("socket")
    if found is None or found.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    stall_ms = 2 * settings.CLIENT_STALL_SECONDS * 1000
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, stall_ms)
