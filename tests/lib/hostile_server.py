"""A server on this machine that answers with whatever bytes a test gives it."""

from __future__ import annotations

import re
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self


class Silence(float):
    """So many seconds in which nothing comes; over as soon as the client hangs up."""


Answer = Callable[[bytes], Iterable[bytes | Silence]]


class HostileServer:
    """Calls ``answer`` with each request and sends the pieces it yields, then closes.

    With ``keeps_open`` it waits for the client's next request on the same connection instead.
    """

    def __init__(
        self, answer: Answer, *, tls: ssl.SSLContext | None = None, keeps_open: bool = False
    ) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._keeps_open = keeps_open
        self._answer = answer
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.authority}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            with accepted:
                self._converse(accepted)

    def _converse(self, accepted: socket.socket) -> None:
        accepted.settimeout(10)
        try:
            if self._tls is None:
                self._reply(accepted)
                return
            with self._tls.wrap_socket(accepted, server_side=True) as secured:
                self._reply(secured)
        except OSError:
            # The client hung up, as it should on most of what is sent here.
            return

    def _reply(self, connection: socket.socket) -> None:
        while request := _received(connection):
            self.requests.append(request)
            for piece in self._answer(request):
                if isinstance(piece, Silence):
                    select.select([connection], [], [], piece)
                else:
                    connection.sendall(piece)
            if not self._keeps_open:
                return


def _received(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as reading:
        head = b""
        while (line := reading.readline()) not in (b"\r\n", b""):
            head += line
        if not head:
            return b""
        length = re.search(rb"(?i)content-length: (\d+)", head)
        return head + b"\r\n" + reading.read(int(length[1]) if length else 0)


def answering(*pieces: bytes) -> Answer:
    return lambda _: pieces


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()
