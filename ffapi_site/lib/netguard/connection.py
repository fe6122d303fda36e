"""Connections that go to a checked address and end by a deadline."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import httpcore

from ffapi_site.lib.netguard.addresses import is_allowed
from ffapi_site.lib.netguard.policy import Policy, Refused
from ffapi_site.lib.netguard.urls import Target, not_allowed

_CONNECT_S: Final = 10.0


class Deadline:
    """The whole time that one fetch may take, however often it is redirected."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def left(self, at_most: float | None) -> float:
        """Seconds that the next step may take; raises Refused when none are left."""
        remaining = self._ends_at - time.monotonic()
        if remaining <= 0:
            raise Refused("too_slow", "the server took too long")
        return remaining if at_most is None else min(remaining, at_most)


def resolve(host: str, port: int) -> list[str]:
    """Every address of ``host``, in the order of preference; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class _Stream(httpcore.NetworkStream):
    """One byte a second resets any timeout of a single read; the deadline stands."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout)
        secured = self._stream.start_tls(ssl_context, server_hostname, left)
        return _Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _PinnedBackend(httpcore.NetworkBackend):
    """Connects one target by the addresses that were checked; the URL keeps its name for TLS."""

    def __init__(self, target: Target, policy: Policy, deadline: Deadline) -> None:
        self._target = target
        self._policy = policy
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the library's signature
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        *earlier, last = self._addresses(host, port)
        for address in earlier:
            try:
                return self._connect(address, port)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(last, port)

    def _connect(self, address: str, port: int) -> httpcore.NetworkStream:
        left = self._deadline.left(_CONNECT_S)
        return _Stream(self._sockets.connect_tcp(address, port, left), self._deadline)

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = resolve(host, port)
        except OSError as error:
            raise Refused("url_unreachable", f"{host} cannot be found") from error
        if self._target.authority in self._policy.allowlist:
            return addresses
        private = self._policy.allow_private
        # One inside address among several is an attempt to get in by retrying.
        if not all(is_allowed(address, allow_private=private) for address in addresses):
            raise not_allowed(host)
        return addresses


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def opened(target: Target, policy: Policy, deadline: Deadline) -> httpcore.ConnectionPool:
    """Make a pool for this one target, whose connections are pinned and end by the deadline."""
    return httpcore.ConnectionPool(
        ssl_context=tls_context() if target.scheme == "https" else None,
        max_connections=1,
        max_keepalive_connections=0,
        network_backend=_PinnedBackend(target, policy, deadline),
    )
