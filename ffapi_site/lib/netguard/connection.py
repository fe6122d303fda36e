"""Connections that go to a checked address and end by a deadline."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import httpcore

from ffapi_site.lib.aside import TICK_S
from ffapi_site.lib.netguard.addresses import is_allowed
from ffapi_site.lib.netguard.deadline import Deadline
from ffapi_site.lib.netguard.policy import Policy, Refused
from ffapi_site.lib.netguard.urls import Target, not_allowed

_CONNECT_S: Final = 10.0
_TRIED_ADDRESSES: Final = 4
_IDLE_S: Final = 20.0


def resolve(host: str, port: int) -> list[str]:
    """Every address of ``host``, in the order of preference; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def checked_addresses(target: Target, policy: Policy, deadline: Deadline) -> list[str]:
    """The addresses that may be connected to; raises Refused if a single one may not."""
    host = target.host
    try:
        addresses = deadline.aside(lambda: resolve(host, target.port), lambda _: None)
    except OSError as error:
        # The name server is away: that says nothing of the name.
        is_passing = error.errno == socket.EAI_AGAIN
        detail = f"{host} cannot be found"
        raise Refused("url_unreachable", detail, is_passing=is_passing) from error
    if target.authority in policy.allowlist:
        return addresses
    private = policy.allow_private
    # One inside address among several is an attempt to get in by retrying.
    if not addresses or not all(is_allowed(each, allow_private=private) for each in addresses):
        raise not_allowed(host)
    return addresses


@dataclass
class _Attended:
    """Who uses a connection at present, and what happened on it since."""

    deadline: Deadline
    has_read: bool = False


class _Stream(httpcore.NetworkStream):
    """One byte a second resets any timeout of a single read; the deadline stands."""

    def __init__(self, stream: httpcore.NetworkStream, user: _Attended) -> None:
        self._stream = stream
        self._user = user

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        deadline = self._user.deadline
        silent_at = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                data = self._stream.read(max_bytes, deadline.left(TICK_S))
            except httpcore.ReadTimeout:
                if silent_at is not None and time.monotonic() >= silent_at:
                    raise
                deadline.on_wait()
            else:
                deadline.tick()  # of a head that never ends nobody else does
                self._user.has_read = True
                return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._user.has_read = False
        self._stream.write(buffer, self._user.deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the library's signature
    ) -> httpcore.NetworkStream:
        deadline = self._user.deadline
        left = deadline.left(_CONNECT_S)
        secured = deadline.aside(
            lambda: self._stream.start_tls(ssl_context, server_hostname, left),
            lambda late: late.close(),
        )
        return _Stream(secured, self._user)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@dataclass
class _PinnedBackend(httpcore.NetworkBackend):
    """Connects to addresses that were checked; the URL keeps its name for TLS."""

    addresses: list[str]
    user: _Attended
    address: str = ""
    """The one that answered."""
    _sockets: httpcore.SyncBackend = field(default_factory=httpcore.SyncBackend)

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the library's signature
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        *earlier, last = self.addresses[:_TRIED_ADDRESSES]
        for address in earlier:
            try:
                return self._connect(address, port)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(last, port)

    def _connect(self, address: str, port: int) -> httpcore.NetworkStream:
        left = self.user.deadline.left(_CONNECT_S)
        stream = self.user.deadline.aside(
            lambda: self._sockets.connect_tcp(address, port, left), lambda late: late.close()
        )
        self.address = address
        return _Stream(stream, self.user)


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


class Line:
    """A connection to one of a target's checked addresses, for one request after another."""

    def __init__(self, target: Target, addresses: list[str], deadline: Deadline) -> None:
        self._origin = target.origin
        self._user = _Attended(deadline)
        self._backend = _PinnedBackend(addresses, self._user)
        self._connection = httpcore.HTTPConnection(
            httpcore.Origin(*self._origin),
            ssl_context=tls_context() if target.scheme == "https" else None,
            keepalive_expiry=_IDLE_S,
            network_backend=self._backend,
        )

    @contextmanager
    def asked(
        self, deadline: Deadline, method: str, target: Target, **request: Any
    ) -> Iterator[httpcore.Response]:
        """Send one request; raises what httpcore does, and Refused."""
        self._user.deadline = deadline
        host, port = target.host, target.port
        url = httpcore.URL(scheme=target.scheme, host=host, port=port, target=target.path)
        with self._connection.stream(method, url, **request) as response:
            if not self._user.has_read:
                # It was there before the question: what an earlier, lying answer left behind.
                raise httpcore.RemoteProtocolError("an answer that nobody asked for")
            yield response

    def leads_to(self, target: Target, addresses: list[str]) -> bool:
        return self._origin == target.origin and self._backend.address in addresses

    @property
    def is_idle(self) -> bool:
        """Whether the last answer was read to its end, and nothing came after it."""
        return self._connection.is_idle() and not self._connection.has_expired()

    def close(self) -> None:
        self._connection.close()
