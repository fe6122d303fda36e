"""What a hostile tenant sends, six a second: each costs the server more than the client.

``python -m tests.harness.hostile_uploads PORT KEY SECONDS``: a process of its own, for it shares
the machine with what is measured.
"""

from __future__ import annotations

import itertools
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

A_SECOND = 6
_PROLOGUES = b"<!---->" * 60 + b"\0"
_MARKS = "a" + "\u0301\u0316" * 40_000
_PAUSE_S = 0.3


@dataclass(frozen=True)
class Request:
    """Bytes that are sent at once, and then those that come one after the other, slowly."""

    at_once: bytes
    slowly: bytes = b""


def _boxes(number: int) -> bytes:
    """An MP4 whose `moov` is nothing but empty boxes."""
    inner = b"\0\0\0\x08free" * number
    return b"\0\0\0\x10ftypisom\0\0\0\0" + (len(inner) + 8).to_bytes(4, "big") + b"moov" + inner


def _post(key: str, path: str, kind: str, framing: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n"
    ).encode()


def _part(name: str) -> bytes:
    said = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    return f"--b\r\n{said}\r\n\r\n".encode()


def _file(key: str, content: bytes, name: str = "a.mp4") -> Request:
    body = _part(name) + content + b"\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b"
    return Request(_post(key, "/v1/files", kind, f"Content-Length: {len(body)}") + body)


def _json(key: str, path: str, content: object) -> Request:
    body = json.dumps(content).encode()
    return Request(_post(key, path, "application/json", f"Content-Length: {len(body)}") + body)


def hostile(key: str) -> Iterator[Request]:
    chunked = _post(
        key, "/v1/files", "multipart/form-data; boundary=b", "Transfer-Encoding: chunked"
    )
    part = _part("a.mp4")
    yield _file(key, _PROLOGUES)
    yield Request(chunked + b"%x\r\n%s\r\n" % (len(part), part), b"1\r\nx\r\n" * 1000)
    yield _file(key, _boxes(130_000))
    yield Request(b"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nX-More: ", b"x" * 1000)
    yield _file(key, b"plain words " * 20_000)
    slow_json = _post(key, "/v1/jobs", "application/json", "Content-Length: 200000")
    yield Request(slow_json + b'{"operation": "', b"x" * 1000)
    yield _file(key, b"x" * 100, name=_MARKS)
    yield _json(key, "/v1/files", {"url": "https://example.org/a.mp4", "name": _MARKS})
    yield _json(key, "/v1/jobs", {f"unknown{number}": number for number in range(45_000)})


def _send(port: int, request: Request, until: float) -> None:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request.at_once)
        for byte in request.slowly:
            if time.monotonic() > until:
                return
            connection.sendall(bytes([byte]))
            time.sleep(_PAUSE_S)
        while connection.recv(65536):
            pass


def main(port: int, key: str, seconds: float) -> None:
    requests = list(hostile(key))
    started = time.monotonic()
    until = started + seconds
    for number, request in enumerate(itertools.cycle(requests)):
        time.sleep(max(0.0, started + number / A_SECOND - time.monotonic()))
        if time.monotonic() >= until:
            break
        threading.Thread(target=_send, args=(port, request, until), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
