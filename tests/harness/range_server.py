"""A server that gives any range of the files in a folder, and counts what it gives."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_PIECE_BYTES = 64 << 10


@dataclass
class RangeServer:
    folder: Path
    authority: str = ""
    validator: str = '"v1"'
    asked: list[str] = field(default_factory=list)
    """The ranges, as they were asked for; empty text for the whole."""
    sent_bytes: int = 0
    bytes_a_second: float = float("inf")
    """Of one connection, or where it ``shares_its_pace`` of all together."""
    shares_its_pace: bool = False
    at_once: int = 0
    most_at_once: int = 0
    failing: frozenset[int] = frozenset()
    """The numbers of the requests, from 1, that are answered by an error."""
    lies: bool = False
    """Whether a range has other bytes than the whole has there."""
    bytes_a_second_of_ranges: float = float("inf")
    changes_after: float = float("inf")
    """After so many requests it has another version."""

    def at(self, name: str) -> str:
        return f"http://{self.authority}/{name}"


@contextmanager
def serving(folder: Path) -> Iterator[RangeServer]:
    told = RangeServer(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(told))
    told.authority = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(told: RangeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = told.folder / self.path.lstrip("/")
            size = path.stat().st_size
            asked = self.headers.get("Range", "")
            told.asked.append(asked)
            if len(told.asked) in told.failing:
                self.send_error(500)
                return
            if len(told.asked) > told.changes_after:
                told.validator = '"v2"'
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
            begin, end, pace = 0, size, told.bytes_a_second
            if found and self.headers.get("If-Range", told.validator) == told.validator:
                begin, end = int(found[1]), min(size, int(found[2] or size - 1) + 1)
                pace = min(pace, told.bytes_a_second_of_ranges)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{size}")
            else:
                self.send_response(200)
            self.send_header("ETag", told.validator)
            self.send_header("Content-Length", str(end - begin))
            self.end_headers()
            told.at_once += 1
            told.most_at_once = max(told.most_at_once, told.at_once)
            try:
                self._send(path, begin, end, pace)
            except ConnectionError:
                self.close_connection = True
            finally:
                told.at_once -= 1

        def _send(self, path: Path, begin: int, end: int, pace: float) -> None:
            with path.open("rb") as file:
                file.seek(begin)
                while begin < end:
                    piece = file.read(min(_PIECE_BYTES, int(min(pace, _PIECE_BYTES)), end - begin))
                    self.wfile.write(
                        piece[::-1] if told.lies and "Range" in self.headers else piece
                    )
                    told.sent_bytes += len(piece)
                    begin += len(piece)
                    others = told.at_once if told.shares_its_pace else 1
                    time.sleep(len(piece) * others / pace)

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    return Handler
