"""R25: what one client may hold of the web server: the real one, short times and few places."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest

from tests.harness.server import ROOT, eventually, free_port

HEADERS_S = 1
STALL_S = 1
OF_ONE_ADDRESS = 6
IN_ALL = 10

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHost: here\r\nX-More: "


@contextmanager
def serving() -> Iterator[int]:
    """One process of the web server, as the site configures it, before an application of ours."""
    port = free_port()
    command = ["-m", "gunicorn", "-c", "python:ffapi_site.serving.web"]
    wanted = {
        "PORT": str(port),
        "WEB_PROCESSES": "1",
        "HEADER_TIMEOUT_SECONDS": str(HEADERS_S),
        "CLIENT_STALL_SECONDS": str(STALL_S),
        "MAX_CONNECTIONS": str(IN_ALL),
        "MAX_CONNECTIONS_PER_ADDRESS": str(OF_ONE_ADDRESS),
    }
    server = subprocess.Popen(
        [sys.executable, *command, "tests.serving.tiny_site:application"],
        cwd=ROOT,
        env=dict(os.environ) | wanted,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert eventually(lambda: _listens(port), within_s=30)
        yield port
    finally:
        server.send_signal(signal.SIGINT)  # at once
        _, told = server.communicate(timeout=30)
    assert "Traceback" not in told, told


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as port:
        yield port


def connect(port: int, *, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 15, source_address=(source, 0))


def answer(connection: socket.socket) -> bytes:
    """All that comes until the server closes; a reset raises."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def ask(connection: socket.socket, request: bytes = GET) -> bytes:
    """Send a request and give the start of its answer."""
    connection.sendall(request)
    return connection.recv(65536)


def is_ended(connection: socket.socket) -> bool:
    """Whether the server has let go of it: nothing comes any more, or a reset."""
    try:
        return ask(connection) == b""
    except ConnectionError:
        return True


def status(told: bytes) -> int:
    return int(told.split(b" ", 2)[1])


def test_it_works(port: int) -> None:
    with connect(port) as client:
        assert status(ask(client)) == 200
        assert status(ask(client)) == 200  # the connection is kept


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: here\r\n\r\n", "414 address_too_long"),
        (GET[:-2] + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n", "431 headers_too_large"),
        (GET[:-2] + b"X: 1\r\n" * 200 + b"\r\n", "431 headers_too_large"),
        (GET[:-2] + b"Transfer-Encoding: frob, chunked\r\n\r\n", "501 not_implemented"),
        (GET[:-2] + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", "400 malformed"),
        (b"G\xe9T / HTTP/1.1\r\nHost: here\r\n\r\n", "400 malformed"),
        (HALF, "408 request_timeout"),
    ],
)
def test_what_is_refused_unread_is_told_as_every_error(
    port: int, request_: bytes, code: str
) -> None:
    with connect(port) as client:
        client.sendall(request_)
        head, _, body = answer(client).partition(b"\r\n\r\n")
    assert b"\r\nContent-Type: application/problem+json\r\n" in head
    told = json.loads(body)
    assert f"{status(head)} {told['code']}" == f"{told['status']} {told['code']}" == code
    assert told["detail"]
    assert told["request_id"]


class TestHeaders:
    def test_who_sends_nothing_is_let_go(self, port: int) -> None:
        with connect(port) as client:
            assert answer(client) == b""

    def test_half_a_request_is_told_so(self, port: int) -> None:
        with connect(port) as client:
            client.sendall(HALF)
            assert status(answer(client)) == 408

    def test_a_trickle_does_not_lengthen_the_time(self, port: int) -> None:
        with connect(port) as client:
            client.sendall(HALF)
            started = time.monotonic()
            client.settimeout(0.2)
            told = b""
            while not told and time.monotonic() < started + 10:
                client.sendall(b"x")
                try:
                    told = client.recv(65536)
                except TimeoutError:
                    continue
            assert status(told) == 408

    def test_the_second_request_of_a_connection_has_as_long(self, port: int) -> None:
        with connect(port) as client:
            ask(client)
            time.sleep(HEADERS_S + 0.2)  # idle, which it may be
            client.sendall(HALF)
            assert status(answer(client)) == 408

    def test_a_kept_connection_may_be_idle(self, port: int) -> None:
        with connect(port) as client:
            ask(client)
            time.sleep(HEADERS_S + 0.2)
            assert status(ask(client)) == 200


class TestNothingElseIsCut:
    def test_a_long_wait_for_the_answer(self, port: int) -> None:
        with connect(port) as client:
            client.sendall(b"GET /slow HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            assert answer(client).endswith(b"not read")

    def test_a_stream_of_events(self, port: int) -> None:
        with connect(port) as client:
            client.sendall(b"GET /stream HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            assert b"end\n" in answer(client)

    def test_a_body_that_goes_on(self, port: int) -> None:
        with connect(port) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 40\r\n\r\n")
            for _ in range(4):
                client.sendall(b"0123456789")
                time.sleep(HEADERS_S / 3)
            assert client.recv(65536).endswith(b"40")


def test_who_does_not_read_is_let_go(port: int) -> None:
    with connect(port) as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: here\r\n\r\n")
        time.sleep(STALL_S + 0.5)
        with suppress(ConnectionResetError):  # where the kernel's clock was the first
            assert not answer(client).endswith(b"0\r\n\r\n")  # cut, after what the kernel held


class TestPlaces:
    def test_the_silent_make_room_for_who_asks(self, port: int) -> None:
        with ExitStack() as held:
            for _ in range(3 * IN_ALL):
                held.enter_context(connect(port))
            with connect(port) as client:
                assert status(ask(client)) == 200

    def test_the_idle_make_room_the_longest_first(self, port: int) -> None:
        with ExitStack() as held:
            first, *others = [held.enter_context(connect(port)) for _ in range(OF_ONE_ADDRESS)]
            for each in (first, *others):
                ask(each)
            ask(held.enter_context(connect(port)))
            assert is_ended(first)
            assert status(ask(others[0])) == 200

    def test_requests_in_progress_are_sat_out(self, port: int) -> None:
        with ExitStack() as held:
            busy = [held.enter_context(connect(port)) for _ in range(OF_ONE_ADDRESS)]
            for each in busy:
                each.sendall(b"GET /slow HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            time.sleep(0.3)
            with connect(port) as one_more:
                one_more.sendall(GET)
                refused = answer(one_more)
            with connect(port, source="127.0.0.2") as other:
                assert status(ask(other)) == 200
            assert [status(answer(each)) for each in busy] == [200] * OF_ONE_ADDRESS
        assert status(refused) == 503
        assert b"Retry-After: 5" in refused

    def test_all_addresses_together_have_a_bound(self, port: int) -> None:
        with ExitStack() as held:
            for number in range(IN_ALL):
                busy = held.enter_context(connect(port, source=f"127.0.1.{number + 1}"))
                busy.sendall(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n")
            time.sleep(0.3)
            with connect(port, source="127.0.0.2") as other:
                other.sendall(GET)
                assert status(answer(other)) == 503


class TestNoAnswerIsLost:
    """A connection closed with bytes still unread is reset: the answer may never be seen."""

    def test_where_the_body_was_not_wanted(self, port: int) -> None:
        with connect(port) as client:
            client.sendall(b"POST /unread HTTP/1.1\r\nHost: here\r\nContent-Length: 900000\r\n\r\n")
            told = client.recv(65536)
            time.sleep(0.2)
            client.sendall(bytes(900_000))
            assert status(told) == 200
            assert answer(client) == b""

    def test_where_the_request_can_t_be_read(self, port: int) -> None:
        with connect(port) as client:
            client.sendall(b"what is this\r\n\r\n" + bytes(200_000))
            time.sleep(0.2)
            assert status(answer(client)) == 400

    def test_where_a_number_has_thousands_of_digits(self, port: int) -> None:
        length = b"Content-Length: " + 5000 * b"1"
        with connect(port) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\n" + length + b"\r\n\r\n")
            assert status(answer(client)) == 400

    def test_a_request_after_the_last_one(self, port: int) -> None:
        """The client had more to ask; it may ask again, but it has its answer."""
        with closing(connect(port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n" + 9 * GET)
            time.sleep(0.2)
            assert answer(client).count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Sec-WebSocket-Version: 13\r\n",
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ],
)
def test_a_wish_for_websockets_is_answered_in_http(port: int, fields: bytes) -> None:
    upgrade = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    with connect(port) as client:
        assert status(ask(client, upgrade + fields + b"\r\n")) == 200
