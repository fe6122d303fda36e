"""A client that costs little, for it shares the machine with what it measures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Client:
    connection: HTTPConnection
    key: str

    @classmethod
    def to(cls, port: int, key: str) -> Client:
        return cls(HTTPConnection("127.0.0.1", port, timeout=120), key)

    def post(self, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        content = json.dumps(body).encode()
        return self._send("POST", path, content, headers | {"Content-Type": "application/json"})

    def get(self, path: str) -> dict[str, Any]:
        return self._send("GET", path, b"", {})

    def upload(self, file: Path) -> str:
        boundary = "bench-boundary"
        part = f'Content-Disposition: form-data; name="file"; filename="{file.name}"'
        head = f"--{boundary}\r\n{part}\r\nContent-Type: video/mp4\r\n\r\n".encode()
        content = head + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return str(self._send("POST", "/v1/files", content, kind)["id"])

    def _send(
        self, method: str, path: str, content: bytes, headers: dict[str, str]
    ) -> dict[str, Any]:
        sent = {"Authorization": f"Bearer {self.key}"} | headers
        self.connection.request(method, path, content, sent)
        answer = self.connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {told}")
        return told


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compared(
    ours: Callable[[], object], bare: Callable[[], object], *, runs: int
) -> tuple[float, float]:
    """Give the median seconds of both, run in turns, so that other load weighs on both alike."""
    ours(), bare()  # what is only slow the first time is not what is measured
    pairs = [(seconds(ours), seconds(bare)) for _ in range(runs)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def side_by_side(clients: Sequence[Client], each: int, send: Callable[[Client], object]) -> float:
    """Give the seconds in which every client sends ``each`` requests, all at the same time."""

    def sending(client: Client) -> None:
        client.connection.close()  # it opens again by itself, where the server ended it
        for _ in range(each):
            send(client)

    with ThreadPoolExecutor(len(clients)) as pool:
        return seconds(lambda: list(pool.map(sending, clients)))
