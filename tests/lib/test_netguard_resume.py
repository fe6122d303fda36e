"""A download that breaks off goes on where it was, but never with the bytes of another file."""

from __future__ import annotations

import hashlib
import io
import random
import re
from collections.abc import Callable, Iterator

import pytest

from ffapi_site.lib.netguard import Policy, Refused, download, fetch
from tests.lib.hostile_server import Answer, HostileServer, ok

BODY = random.Random(1).randbytes(600_000)  # noqa: S311
OTHER = random.Random(2).randbytes(600_000)  # noqa: S311
TAG = 'ETag: "v1"'


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_RESUME_AFTER_S", (0.01,) * 5)


def whole(*headers: str, body: bytes = BODY) -> bytes:
    return ok(body, *headers)


def rest(request: bytes, *headers: str, body: bytes = BODY) -> bytes:
    [first] = re.findall(rb"Range: bytes=(\d+)-\r\n", request)
    part = body[int(first) :]
    lines = [
        "HTTP/1.1 206 Partial Content",
        f"Content-Length: {len(part)}",
        f"Content-Range: bytes {int(first)}-{len(body) - 1}/{len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + part


def breaking(
    first: bytes, then: Callable[[bytes], bytes], *, after: int = 200_000, breaks: int = 1
) -> Answer:
    """Answer the first request with ``first``, the others with ``then``; cut the first ones."""
    asked = iter(range(1_000_000))

    def answer(request: bytes) -> Iterator[bytes]:
        number = next(asked)
        answered = first if number == 0 else then(request)
        yield answered[:after] if number < breaks else answered

    return answer


def fetched(server: HostileServer, max_bytes: int = 1 << 20) -> bytes:
    to = io.BytesIO()
    policy = Policy(allowlist=frozenset({server.authority}))
    found = download(f"{server.url}/x", to, policy=policy, max_bytes=max_bytes, timeout_s=20)
    assert found.size_bytes == len(to.getvalue())
    assert found.sha256 == hashlib.sha256(to.getvalue()).hexdigest()
    return to.getvalue()


def test_it_works() -> None:
    answer = breaking(whole(TAG), lambda request: rest(request, TAG), breaks=3)
    with HostileServer(answer) as server:
        assert fetched(server) == BODY
    assert len(server.requests) == 4
    assert b'If-Range: "v1"\r\n' in server.requests[1]
    assert b"Range" not in server.requests[0]


def test_by_a_date_that_is_long_past() -> None:
    dates = (
        "Last-Modified: Mon, 06 Jan 2020 10:00:00 GMT",
        "Date: Mon, 06 Jan 2020 12:00:00 GMT",
    )
    with HostileServer(breaking(whole(*dates), rest)) as server:
        assert fetched(server) == BODY
    assert b"If-Range: Mon, 06 Jan 2020 10:00:00 GMT\r\n" in server.requests[1]


def test_chunks_go_on_too() -> None:
    size = f"{len(BODY):x}".encode()
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + TAG.encode()
    first = chunked + b"\r\n\r\n" + size + b"\r\n" + BODY + b"\r\n0\r\n\r\n"
    with HostileServer(breaking(first, lambda request: rest(request, TAG))) as server:
        assert fetched(server) == BODY


def test_another_file_is_fetched_from_its_beginning() -> None:
    """The server answers If-Range with the whole of what it has now."""
    answer = breaking(whole(TAG), lambda _: whole('ETag: "v2"', body=OTHER[:-1]))
    with HostileServer(answer) as server:
        assert fetched(server) == OTHER[:-1]


@pytest.mark.parametrize(
    "then",
    [
        lambda request: rest(request, 'ETag: "v2"', body=OTHER),
        lambda request: rest(request, TAG, body=BODY + b"more"),
        lambda request: rest(request, TAG).replace(b"bytes 1", b"bytes 2"),
        lambda request: rest(request, TAG).replace(b"/600000", b"/*").replace(b"-599999", b"-9"),
        lambda request: rest(request, TAG).replace(b"Content-Range", b"X-Range"),
        lambda request: rest(request, TAG).replace(b"bytes ", b"lines "),
    ],
    ids=["other tag", "other size", "other place", "ends before", "no range", "no bytes"],
)
def test_parts_of_different_files_are_never_joined(then: Callable[[bytes], bytes]) -> None:
    with HostileServer(breaking(whole(TAG), then)) as server, pytest.raises(Refused) as refused:
        fetched(server)
    assert refused.value.code == "content_changed"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ('ETag: W/"v1"',),
        ("ETag: v1",),
        (TAG, "Accept-Ranges: none"),
        ("Last-Modified: Mon, 06 Jan 2020 10:00:00 GMT",),
        (
            "Last-Modified: Mon, 06 Jan 2020 10:00:00 GMT",
            "Date: Mon, 06 Jan 2020 10:00:30 GMT",
        ),
        ("Last-Modified: never", "Date: Mon, 06 Jan 2020 10:00:30 GMT"),
    ],
)
def test_what_does_not_tell_versions_apart_is_not_resumed(headers: tuple[str, ...]) -> None:
    answer = breaking(whole(*headers), lambda request: rest(request, *headers))
    with HostileServer(answer) as server, pytest.raises(Refused) as refused:
        fetched(server)
    assert refused.value.code == "content_length_mismatch"
    assert len(server.requests) == 1


def test_it_gives_up() -> None:
    answer = breaking(whole(TAG), lambda request: rest(request, TAG), breaks=99, after=1000)
    with HostileServer(answer) as server, pytest.raises(Refused) as refused:
        fetched(server)
    assert refused.value.code == "content_length_mismatch"
    assert len(server.requests) == 6


def test_the_rest_is_bounded_as_the_whole() -> None:
    answer = breaking(whole(TAG), lambda request: rest(request, TAG).replace(b"600000", b"900000"))
    with HostileServer(answer) as server, pytest.raises(Refused):
        fetched(server, max_bytes=600_000)


def test_a_part_that_nobody_asked_for_is_refused() -> None:
    part = (
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/1\r\nContent-Length: 1\r\n\r\nx"
    )
    with HostileServer(lambda _: [part]) as server, pytest.raises(Refused, match="bad_status"):
        fetched(server)
