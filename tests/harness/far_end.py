"""The far end of the platform's own requests: it serves media, redirects, and receives webhooks."""

from __future__ import annotations

import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Page:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    released: threading.Event | None = None
    """Until it is set, the body comes a piece at a time."""
    piece_bytes: int = 1

    def pieces(self) -> Iterator[bytes]:
        sent, most = 0, len(self.body) - self.piece_bytes
        while self.released and not self.released.wait(0.5) and sent < most:
            yield self.body[sent : sent + self.piece_bytes]
            sent += self.piece_bytes
        yield self.body[sent:]


def moved(to: str) -> Page:
    return Page(status=302, headers={"Location": to})


@dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: bytes
    at_s: float


class FarEnd:
    """``pages`` answers GET by path, ``statuses`` POST: in turn, and then the last one for ever."""

    def __init__(self, port: int = 0) -> None:
        self.pages: dict[str, Page] = {}
        self.statuses: dict[str, list[int]] = {}
        self.received: dict[str, list[Received]] = defaultdict(list)
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,))

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def at(self, path: str) -> str:
        return f"http://{self.authority}{path}"

    def serve(self, path: str, page: Page) -> str:
        self.pages[path] = page
        return self.at(path)

    @contextmanager
    def held(
        self, path: str, body: bytes, *, piece_bytes: int = 1
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        """An address whose download lasts until the second value is called.

        A server that sends less than 1,000 bytes a second is refused after a minute.
        """
        released = threading.Event()
        page = Page(body, released=released, piece_bytes=piece_bytes)
        try:
            yield self.serve(path, page), released.set
        finally:
            released.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for page in self.pages.values():
            if page.released:
                page.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    allow_reuse_address = True


def _handler(far_end: FarEnd) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = far_end.pages.get(self.path, Page(status=404))
            self._begin(page.status, {"Content-Length": str(len(page.body))} | page.headers)
            try:
                for piece in page.pieces():
                    self.wfile.write(piece)
                    self.wfile.flush()
            except ConnectionError:
                self.close_connection = True  # a canceled job hangs up

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            far_end.received[self.path].append(Received(headers, body, time.monotonic()))
            left = far_end.statuses.get(self.path, [204])
            status = left.pop(0) if len(left) > 1 else left[0]
            self._begin(status, far_end.pages.get(self.path, Page()).headers)

        def _begin(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    return Handler


class Canary:
    """A port of this machine that nobody may reach; ``visits`` counts who did."""

    def __init__(self) -> None:
        self.visits = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._listening.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()
