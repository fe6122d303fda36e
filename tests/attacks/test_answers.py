"""Far ends that lie, drip, flood and break the rules of HTTP, wherever something is fetched."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator

import pytest

from tests.attacks.conftest import LARGEST_FILE_MB, LONGEST_DOWNLOAD_S
from tests.attacks.ground import check_failed, check_refused
from tests.attacks.hostile_containers import film
from tests.attacks.origin import HostileOrigin
from tests.harness.customer import Customer, Json
from tests.lib.hostile_server import Answer, answering, ok, redirect

pytestmark = pytest.mark.slow

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
_KIB = bytes(1024)


def _head(*headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def _endless(first: bytes, again: bytes) -> Answer:
    def pieces(_: bytes) -> Iterator[bytes]:
        yield first
        while True:
            yield again

    return pieces


def _dripping(first: bytes, then: bytes) -> Answer:
    """A byte at a time, for longer than anybody should wait."""

    def pieces(_: bytes) -> Iterator[bytes]:
        yield first
        for place in range(len(then)):
            time.sleep(0.4)
            yield then[place : place + 1]

    return pieces


def _silent(first: bytes) -> Answer:
    return _dripping(first, b"")


_BOMB = gzip.compress(bytes(80 << 20))
NOT_TO_BE_HAD: dict[str, Answer] = {
    "longer than announced": answering(_head("Content-Length: 10"), _KIB),
    "shorter than announced": answering(_head("Content-Length: 100000"), _KIB),
    "negative length": answering(_head("Content-Length: -5"), _KIB),
    "length in words": answering(_head("Content-Length: many"), _KIB),
    "length beyond numbers": answering(_head(f"Content-Length: {'9' * 40}"), _KIB),
    "two lengths": answering(_head("Content-Length: 5", "Content-Length: 9"), _KIB),
    "length and chunks": answering(
        _head("Content-Length: 5", "Transfer-Encoding: chunked"),
        b"400\r\n" + _KIB + b"\r\n0\r\n\r\n",
    ),
    "more than may be": answering(_head(f"Content-Length: {(LARGEST_FILE_MB + 1) << 20}"), _KIB),
    "endless body": _endless(_head(), _KIB * 64),
    "endless chunks": _endless(CHUNKED, b"10000\r\n" + _KIB * 64 + b"\r\n"),
    "endless tiny chunks": _endless(CHUNKED, b"1\r\nx\r\n" * 1000),
    "chunk beyond numbers": answering(CHUNKED, b"ffffffffffffffffff\r\n", _KIB),
    "negative chunk": answering(CHUNKED, b"-1\r\n", _KIB),
    "no chunk": answering(CHUNKED, b"zz\r\n", _KIB),
    "endless trailers": _endless(CHUNKED + b"0\r\n", b"X-Trailer: x\r\n" * 100),
    "endless extension": _endless(CHUNKED + b"1;", b"x=" * 1000),
    "endless headers": _endless(OK, b"X-Header: x\r\n" * 100),
    "endless header": _endless(OK + b"X: ", b"x" * 1000),
    "endless interim answers": _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "dripping status": _dripping(b"", b"HTTP/1.1 200 OK\r\n\r\n"),
    "dripping headers": _dripping(OK, b"X-Header: a-long-value\r\n" * 9),
    "dripping body": _dripping(_head("Content-Length: 100"), bytes(100)),
    "dripping chunks": _dripping(CHUNKED, b"1\r\nx\r\n" * 9),
    "silence": _silent(b""),
    "compressed though not asked": answering(ok(_BOMB, "Content-Encoding: gzip")),
    "compressed twice": answering(ok(gzip.compress(_BOMB), "Content-Encoding: gzip, gzip")),
    "compressed in transfer": answering(
        _head("Transfer-Encoding: gzip, chunked"), b"%x\r\n" % len(_BOMB) + _BOMB + b"\r\n0\r\n\r\n"
    ),
    "compressed film": answering(ok(_BOMB, "Content-Type: video/mp4")),
    "a page": answering(ok(b"<!doctype html><html><script>", "Content-Type: video/mp4")),
    "a program": answering(ok(b"\x7fELF" + _KIB, "Content-Type: video/mp4")),
    "a letter": answering(ok(b"Dear Sir,\n" * 100, "Content-Type: video/mp4")),
    "nothing": answering(ok(b"", "Content-Type: video/mp4")),
    "not HTTP": answering(b"220 ftp.example.org\r\n" * 9),
    "HTTP/0.9": answering(b"\x00\x00\x00\x18ftypisom" + _KIB),
    "HTTP/2": answering(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18)),
    "hung up": answering(b""),
    "switching protocols": answering(_head("Upgrade: h2c", status="101 Switching Protocols"), _KIB),
    "no content": answering(_head(status="204 No Content")),
    "a part not asked for": answering(
        _head("Content-Range: bytes 5-9/10", "Content-Length: 5", status="206 Partial"), b"12345"
    ),
    "not changed": answering(_head(status="304 Not Modified")),
    "password": answering(_head("WWW-Authenticate: Basic", status="401 Unauthorized")),
    "status beyond numbers": answering(_head(status="999 What")),
    "status of letters": answering(_head(status="abc OK")),
    "header with NUL": answering(b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", _KIB),
    "header without a name": answering(b"HTTP/1.1 200 OK\r\n: x\r\n\r\n", _KIB),
    "folded header": answering(b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", _KIB),
    "redirect to itself": answering(redirect("?")),
}


def test_each_ends_soon_and_says_why(
    alice: Customer, origin: HostileOrigin, subtests: pytest.Subtests
) -> None:
    """Of a job, a probe and an import; all jobs at once: most are tried again after a while."""
    urls = {}
    for number, (what, answer) in enumerate(NOT_TO_BE_HAD.items()):
        urls[what] = origin.serve(f"/{number}.mp4", answer)
    jobs = {what: _taken(alice, {"input_url": url}) for what, url in urls.items()}
    for what, url in urls.items():
        with subtests.test(what):
            began_s = time.monotonic()
            check_refused(alice.http.post("/v1/probe", json={"input_url": url}))
            check_refused(alice.http.post("/v1/files", json={"url": url}))
            assert time.monotonic() - began_s < 2 * (LONGEST_DOWNLOAD_S + 4)
    for what, job in jobs.items():
        with subtests.test(what):
            check_failed(alice.ended(job))


def _taken(alice: Customer, body: Json) -> Json:
    answer = alice.http.post("/v1/transcode", json=body)
    assert answer.status_code == 202, answer.text
    job: Json = answer.json()
    return job


NAMES = {
    "../../../../etc/cron.d/x.mp4": "x.mp4",
    "/etc/passwd": "passwd",
    "..\\..\\x.mp4": "x.mp4",
    "-vf.mp4": "-vf.mp4",
    "%2e%2e%2fx.mp4": "%2e%2e%2fx.mp4",
}


@pytest.mark.parametrize("given", NAMES)
def test_a_name_from_a_header_is_only_a_name(
    alice: Customer, origin: HostileOrigin, given: str
) -> None:
    quoted = given.replace("\\", "\\\\")
    said = f'Content-Disposition: attachment; filename="{quoted}"'
    answer = alice.http.post(
        "/v1/files", json={"url": origin.serve("/a.mp4", answering(ok(film("a.mp4"), said)))}
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == NAMES[given]
