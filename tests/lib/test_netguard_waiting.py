"""While nothing comes, the caller is asked whether to go on; what takes too long ends."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ffapi_site.lib.netguard import Policy, Refused, connection, download, exchange, transfer
from tests.lib.hostile_server import Answer, HostileServer, Silence, ok

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


class Canceled(Exception):  # noqa: N818
    pass


def canceled_after_s(url: str, policy: Policy) -> float:
    """Fetch, change one's mind soon, and tell how long it took to be let go."""
    started = time.monotonic()

    def look(_received: int, _of: int | None) -> None:
        if time.monotonic() - started > 0.3:
            raise Canceled

    with pytest.raises(Canceled):
        download(
            url, io.BytesIO(), policy=policy, max_bytes=9 << 20, timeout_s=60, on_progress=look
        )
    return time.monotonic() - started


def silent_after(beginning: bytes) -> Answer:
    def answer(_: bytes) -> Iterator[bytes | Silence]:
        yield beginning
        yield Silence(3)

    return answer


@contextmanager
def full_queue() -> Iterator[int]:
    """A port that takes no more connections: trying one lasts until somebody gives up."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port: int = listening.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        yield port
        for each in waiting:
            each.close()


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nX: ", HEAD, HEAD + b"some"])
def test_a_silent_server_can_be_left(beginning: bytes) -> None:
    with HostileServer(silent_after(beginning)) as server:
        policy = Policy(allowlist=frozenset({server.authority}))
        assert canceled_after_s(server.url, policy) < 2


def test_a_connection_that_is_not_made_can_be_left() -> None:
    with full_queue() as port:
        policy = Policy(allowlist=frozenset({f"127.0.0.1:{port}"}))
        assert canceled_after_s(f"http://127.0.0.1:{port}/", policy) < 2


def test_a_handshake_that_is_not_answered_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_CONNECT_S", 3.0)
    with HostileServer(silent_after(b"")) as server:
        policy = Policy(allowlist=frozenset({server.authority}))
        assert canceled_after_s(f"https://{server.authority}/", policy) < 2


def test_a_name_that_is_not_found_out_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "resolve", lambda *_: time.sleep(3))
    assert canceled_after_s("http://slow.example/", Policy()) < 2


def refusal(answer: Answer) -> tuple[str, str]:
    with HostileServer(answer) as server:
        policy = Policy(allowlist=frozenset({server.authority}))
        with pytest.raises(Refused) as refused:
            download(server.url, io.BytesIO(), policy=policy, max_bytes=9 << 20, timeout_s=60)
    return refused.value.code, refused.value.detail


def trickle(_: bytes) -> Iterator[bytes]:
    yield HEAD
    while True:
        time.sleep(0.05)
        yield b"1"


def test_one_byte_at_a_time_is_not_a_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_PACE_WINDOW_S", 1.0)
    started = time.monotonic()
    assert refusal(trickle) == ("too_slow", "the server sends less than a kilobyte a second")
    assert time.monotonic() - started < 3


def slow_head(_: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        time.sleep(0.05)
        yield b"X"


def endless_interim(_: bytes) -> Iterator[bytes]:
    while True:
        time.sleep(0.05)
        yield b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"


@pytest.mark.parametrize("answer", [slow_head, endless_interim])
def test_a_head_has_less_time_than_a_film(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "_HEAD_S", 1.0)
    started = time.monotonic()
    assert refusal(answer)[0] == "too_slow"
    assert time.monotonic() - started < 3


def test_a_long_wait_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a job that waits for its input still shows that it lives."""
    told: list[tuple[int, int | None]] = []

    def late(_: bytes) -> Iterator[bytes]:
        time.sleep(1.8)
        yield ok(b"there")

    with HostileServer(late) as server:
        policy = Policy(allowlist=frozenset({server.authority}))
        to = io.BytesIO()
        download(
            server.url,
            to,
            policy=policy,
            max_bytes=99,
            timeout_s=9,
            on_progress=lambda *now: told.append(now),
        )
    assert to.getvalue() == b"there"
    assert told.count((0, None)) >= 2
    assert told[-1] == (5, 5)
