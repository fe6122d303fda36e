"""A connection is used again, but only to an address that was just checked, and only if clean."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from ffapi_site.lib.netguard import Policy, Refused, connection, download, pool, post
from tests.lib.hostile_server import Answer, HostileServer, answering, ok

PRIVATE = Policy(allow_private=True)


@pytest.fixture(autouse=True)
def _no_lines_of_other_tests() -> Iterator[None]:
    pool.idle.clear()
    yield
    pool.idle.clear()


def fetched(url: str, policy: Policy = PRIVATE) -> bytes:
    to = io.BytesIO()
    download(url, to, policy=policy, max_bytes=1 << 20, timeout_s=5)
    return to.getvalue()


def test_it_works() -> None:
    with HostileServer(answering(ok(b"same")), keeps_open=True) as server:
        bodies = [fetched(f"{server.url}/{number}") for number in range(3)]
        post(f"{server.url}/hook", b"{}", {}, policy=PRIVATE, timeout_s=5)
        pool.idle.clear()
    assert bodies == [b"same"] * 3
    assert (server.connections, len(server.requests)) == (1, 4)


def test_an_address_that_is_no_longer_allowed_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with HostileServer(answering(ok(b"x")), keeps_open=True) as server:
        url = f"http://rebinding.example:{server.port}/"
        monkeypatch.setattr(connection, "resolve", lambda *_: ["127.0.0.1"])
        assert fetched(url) == b"x"
        with pytest.raises(Refused, match="url_address_not_allowed"):
            fetched(url, Policy())
        monkeypatch.setattr(connection, "resolve", lambda *_: ["169.254.169.254"])
        with pytest.raises(Refused, match="url_address_not_allowed"):
            fetched(url)
        # A name that moved on: its old address is not used, even though the line to it is open.
        monkeypatch.setattr(connection, "resolve", lambda *_: ["127.0.0.77"])
        with pytest.raises(Refused, match="url_unreachable"):
            fetched(url)
        pool.idle.clear()
    assert len(server.requests) == 1


def test_names_do_not_share_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "resolve", lambda *_: ["127.0.0.1"])
    with HostileServer(answering(ok(b"x"))) as server:
        for name in ("one.example", "two.example"):
            fetched(f"http://{name}:{server.port}/")
    assert server.connections == 2
    assert b"Host: two.example:" in server.requests[1]


def test_a_line_that_the_server_closed_is_replaced() -> None:
    asked = iter(range(9))

    def hangs_up_on_the_second(_: bytes) -> Iterator[bytes]:
        if next(asked) == 1:
            raise OSError
        yield ok(b"x")

    with HostileServer(hangs_up_on_the_second, keeps_open=True) as server:
        assert [fetched(server.url) for _ in range(2)] == [b"x", b"x"]
        pool.idle.clear()
    assert server.connections == 2


@pytest.mark.parametrize(
    "planted",
    [ok(b"planted"), b"HTTP/1.1 200 OK\r\nX: ", b"junk"],
    ids=["an answer", "half an answer", "junk"],
)
def test_an_answer_that_was_planted_is_not_taken(planted: bytes) -> None:
    """More than was announced comes: it must not become the answer to the next request."""
    asked = iter(range(9))

    def plants(_: bytes) -> Iterator[bytes]:
        yield ok(b"first") + planted if next(asked) == 0 else ok(b"second")

    with HostileServer(plants, keeps_open=True) as server:
        policy = Policy(allowlist=frozenset({server.authority}))
        assert fetched(server.url, policy) == b"first"
        assert fetched(server.url, policy) == b"second"
        pool.idle.clear()


@pytest.mark.parametrize(
    "answer",
    [answering(ok(b"x" * 2_000_000)), answering(b"HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\n")],
)
def test_an_answer_that_was_not_read_to_its_end_closes_its_line(answer: Answer) -> None:
    with HostileServer(answer, keeps_open=True) as server:
        for _ in range(2):
            with pytest.raises(Refused):
                fetched(server.url)
    assert server.connections == 2


def test_few_are_kept() -> None:
    servers = [HostileServer(answering(ok(b"x")), keeps_open=True) for _ in range(2)]
    with servers[0], servers[1]:
        for server in servers:
            for _ in range(20):
                fetched(server.url)
        assert len(pool.idle._lines) == 2
        pool.idle.clear()
