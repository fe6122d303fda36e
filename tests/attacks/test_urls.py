"""Addresses that lead inside, in every spelling and in every field: no name is looked up for them.

And servers that redirect inside, resolve inside, lie about lengths, trickle or never end: a clean
refusal, with nothing stored and nothing connected to but the server that was asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Tenant
from ffapi_site.lib.netguard import connection, exchange, pool, transfer
from ffapi_site.lib.problems import Invalid
from media_jobs.models import Job
from media_jobs.operations.core import REGISTRY
from media_jobs.planning.plan import plan
from storage.models import File
from tests.attacks.delivery import params_with
from tests.attacks.inside import INSIDE, REFUSALS
from tests.factories import TenantFactory
from tests.harness.api_client import client_of
from tests.lib.hostile_server import Answer, HostileServer, answering, ok, redirect
from tests.lib.test_netguard_addresses import INSIDE as HOSTS

pytestmark = pytest.mark.django_db

# Spellings that differ in more than the host.
TRICKS = [
    "http://example.org@127.0.0.1/a.mp4",
    "http://user:password@example.org/a.mp4",
    "http://127.0.0.1\\@example.org/a.mp4",
    "http://example.org\\.127.0.0.1/a.mp4",
    "http://127.0.0.1#@example.org/a.mp4",
    "http://127.0.0.1?@example.org/a.mp4",
    "http://example.org:80@127.0.0.1/a.mp4",
    "http://example.org/\r\nHost: 127.0.0.1/a.mp4",
    "http://127.0.0.1%00.example.org/a.mp4",
    "http://127.0.0.1%2f@example.org/a.mp4",
    "http://[::1]@example.org/a.mp4",
    "http://[::1].example.org/a.mp4",
    "http://[127.0.0.1]/a.mp4",
    "http:/127.0.0.1/a.mp4",
    "http:127.0.0.1/a.mp4",
    "HTTP://LOCALHOST/a.mp4",
    "http://127.0.0.1:80a/a.mp4",
    "http://169.254.169.254/latest/meta-data/iam/",
    "http://metadata.google.internal./computeMetadata/v1/",
    "http://instance-data/latest/",
    "//127.0.0.1/a.mp4",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "concat:http://127.0.0.1/a|b",
    "subfile,,start,0,end,9,,:/etc/passwd",
    "data:video/mp4;base64,AAAA",
    "ftp://127.0.0.1/a.mp4",
    "gopher://127.0.0.1:6379/_INFO",
    "rtmp://127.0.0.1/live",
    "tcp://127.0.0.1:22",
    "unix:/run/postgresql/.s.PGSQL.5432",
    "jar:http://127.0.0.1!/a.mp4",
    "\thttp://127.0.0.1/a.mp4",
    "http://127.0.0.1\t/a.mp4",
    "http\u003a//127.0.0.1/a.mp4",
]
SPELLINGS = [
    *(f"http://{host}/a.mp4" for host in HOSTS),
    *TRICKS,
    *(url.format(port=9, unix="/run/s.sock") for url in INSIDE.values()),
]

FINE = "https://example.org/a.mp4"
FIELDS: dict[str, tuple[str, Callable[[str], dict[str, Any]], str]] = {
    "source": (
        "/v1/jobs",
        lambda url: {"operation": "transcode", "params": {"input": url}},
        "/params/input",
    ),
    "source as an object": (
        "/v1/jobs",
        lambda url: {"operation": "transcode", "params": {"input": {"url": url}}},
        "/params/input",
    ),
    "flat source": ("/v1/transcode", lambda url: {"input_url": url}, "/input_url"),
    "source in a list": ("/v1/video/concat", lambda url: {"inputs": [FINE, url]}, "/inputs/1"),
    "probed": ("/v1/probe", lambda url: {"input": url}, "/input"),
    "imported": ("/v1/files", lambda url: {"url": url}, "/url"),
    "webhook": (
        "/v1/transcode",
        lambda url: {"input_url": FINE, "webhook_url": url},
        "/webhook_url",
    ),
    "webhook of a job": (
        "/v1/jobs",
        lambda url: {"operation": "transcode", "params": {"input": FINE}, "webhook_url": url},
        "/webhook_url",
    ),
}


@pytest.fixture
def client() -> Client:
    return client_of(TenantFactory.create())


@pytest.fixture(autouse=True)
def _own_uploads(tmp_path: Path, settings: Settings) -> Iterator[None]:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "uploads")
    settings.SCRATCH_DIR = settings.SCRATCH_DIR / "urls"
    settings.RATE_LIMIT_REQUESTS_PER_MINUTE = 1_000_000
    (tmp_path / "uploads").mkdir()
    yield
    assert list((tmp_path / "uploads").iterdir()) == []
    assert not settings.SCRATCH_DIR.exists() or not list(settings.SCRATCH_DIR.iterdir())


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up, each on the way to a connection."""
    found: list[str] = []
    really = connection.resolve

    def recorded(host: str, port: int) -> list[str]:
        found.append(host)
        return really(host, port)

    monkeypatch.setattr(connection, "resolve", recorded)
    return found


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


def test_no_spelling_leads_inside_in_any_field(client: Client, looked_up: list[str]) -> None:
    """Each in two of them, and each of them with a quarter of all; the rest see the test below."""
    asked = [
        (url, field)
        for n, url in enumerate(SPELLINGS)
        for field in ([*FIELDS][n % 8], [*FIELDS][(n + n // 8 + 3) % 8])
    ]
    taken = []
    for url, field in asked:
        path, body, pointer = FIELDS[field]
        response = post(client, path, body(url))
        is_refused = response.status_code == 422
        if not (is_refused and pointer in {each["pointer"] for each in response.json()["errors"]}):
            taken.append((field, url, response.content))
    assert taken == []
    assert looked_up == []
    assert not Job.objects.exists()
    assert not File.objects.exists()


def test_no_field_of_any_operation_takes_one() -> None:
    """As each of them is planned, whatever the API calls it."""
    tenant = TenantFactory.create()
    taken = []
    for operation, url in product(sorted(REGISTRY), SPELLINGS):
        codes = _refused_as(tenant, operation, params_with(operation, url))
        if not codes or not codes <= REFUSALS:
            taken.append((operation, url, codes))
    assert taken == []


def _refused_as(tenant: Tenant, operation: str, params: Any) -> set[str]:
    try:
        plan(tenant, operation, params)
    except Invalid as refused:
        return {each.code for each in refused.errors}
    return set()


FETCHING = {"imported": ("/v1/files", "url"), "probed": ("/v1/probe", "input")}


def fetched(client: Client, way: str, url: str) -> str:
    """Have an address fetched; give the code of the refusal."""
    path, field = FETCHING[way]
    response = post(client, path, {field: url})
    assert response.status_code == 422, response.content
    [error] = response.json()["errors"]
    assert error["pointer"] == f"/{field}"
    assert not File.objects.exists()
    return str(error["code"])


@pytest.fixture(params=FETCHING)
def fetch(request: pytest.FixtureRequest, client: Client) -> Callable[[str], str]:
    return partial(fetched, client, request.param)


REFUSED_URL = {
    *("url_address_not_allowed", "url_invalid", "url_scheme_not_allowed", "url_has_credentials"),
    *("url_unreachable", "bad_response"),
}


def test_no_redirect_leads_inside(client: Client, looked_up: list[str], settings: Settings) -> None:
    location = ""
    with HostileServer(lambda _: [redirect(location)]) as server:
        settings.URL_ALLOWLIST = frozenset({server.authority})
        for n, to in enumerate(filter(str.isascii, SPELLINGS)):
            # As a server writes it: a tab or line end would end the header.
            location = to.translate({ord(char): f"%{ord(char):02x}" for char in "\r\n\t"})
            code = fetched(client, [*FETCHING][n % 2], f"{server.url}/a.mp4")
            # What is no address of another server is a path on this one, which redirects again.
            assert code in REFUSED_URL | {"too_many_redirects"}, to
            # One of them is a path on a public host: that one is asked for, and nobody else.
            assert set(looked_up) <= {"127.0.0.1", "example.org"}, to
            assert server.connections == looked_up.count("127.0.0.1"), to


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["93.184.215.14", "127.0.0.1"],
        ["2606:4700::1111", "::1"],
        ["169.254.169.254"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["100.64.0.1"],
        ["0.0.0.0"],  # noqa: S104
        ["fe80::1%1"],
        ["224.0.0.1"],
        [],
    ],
)
def test_no_name_leads_inside(
    fetch: Callable[[str], str], addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "resolve", lambda *_: addresses)
    assert fetch("http://innocent.example/a.mp4") == "url_address_not_allowed"


def test_a_name_that_changes_its_mind_gains_nothing(
    fetch: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """The DNS says something public to whoever checks and this machine to whoever connects."""
    answers = iter([["192.0.2.7"], ["127.0.0.1"], ["127.0.0.1"]])
    monkeypatch.setattr(connection, "resolve", lambda *_: next(answers))
    with HostileServer(answering(ok(b"inside"))) as server:
        assert fetch(f"http://twice.example:{server.port}/a.mp4") == "url_address_not_allowed"
        assert fetch(f"http://twice.example:{server.port}/a.mp4") == "url_address_not_allowed"
    assert server.connections == 0


def test_a_kept_connection_is_no_way_round(
    fetch: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """First as its own name, which may be fetched, then as one that leads to the same machine."""
    monkeypatch.setattr(connection, "resolve", lambda *_: ["127.0.0.1"])
    with HostileServer(answering(ok(b"letters")), keeps_open=True) as server:
        settings.URL_ALLOWLIST = frozenset({server.authority})
        fetch(f"{server.url}/a.mp4")
        code = fetch(f"http://other.example:{server.port}/a.mp4")
        settings.URL_ALLOWLIST = frozenset()
        assert fetch(f"{server.url}/a.mp4") == code == "url_address_not_allowed"
        pool.idle.clear()
    assert server.connections == 1


def test_nothing_of_ours_goes_along(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with (
        HostileServer(answering(ok(b"x"))) as second,
        HostileServer(answering(redirect(f"{second.url}/b.mp4"))) as first,
    ):
        settings.URL_ALLOWLIST = frozenset({first.authority, second.authority})
        post(client, "/v1/files", {"url": f"{first.url}/a.mp4"})
    for request in (*first.requests, *second.requests):
        names = {line.partition(b":")[0].lower() for line in request.splitlines()[1:] if line}
        assert names == {b"host", b"user-agent", b"accept", b"accept-encoding"}


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"


def endless(head: bytes, piece: bytes, pause_s: float = 0.0) -> Answer:
    def answer(_: bytes) -> Iterator[bytes]:
        yield head
        while True:
            time.sleep(pause_s)
            yield piece

    return answer


LIARS: dict[str, tuple[Answer, str]] = {
    "shorter than it says": (answering(LONG + b"short"), "content_length_mismatch"),
    "longer than a file may be": (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
        "too_large",
    ),
    "two lengths": (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
        "bad_response",
    ),
    "a negative length": (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx"),
        "bad_response",
    ),
    "a length of 5000 digits": (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"),
        "bad_response",
    ),
    "endless chunks": (endless(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"), "too_large"),
    "an endless body": (endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536), "too_large"),
    "a chunk of 2^80": (answering(CHUNKED + b"f" * 20 + b"\r\nx"), "body_incomplete"),
    "endless headers": (endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 999), "bad_response"),
    "an endless header": (endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536), "bad_response"),
    "endless trailers": (endless(CHUNKED + b"0\r\n", b"X: y\r\n" * 999), "body_incomplete"),
    "endless hints": (endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.01), "too_slow"),
    "a trickling body": (endless(LONG, b"x", 0.02), "too_slow"),
    "trickling chunks": (endless(CHUNKED, b"1\r\nx\r\n", 0.02), "too_slow"),
    "a trickling head": (endless(b"HTTP/1.1 200 OK\r\nX: ", b"y", 0.02), "too_slow"),
    "a trickling status": (endless(b"", b"H", 0.02), "too_slow"),
    "a gzipped body": (
        answering(ok(b"\x1f\x8b\x08" + bytes(999), "Content-Encoding: gzip")),
        "encoding_not_allowed",
    ),
    "a twice packed body": (
        answering(ok(b"x", "Content-Encoding: gzip, br")),
        "encoding_not_allowed",
    ),
    "another protocol": (answering(b"SSH-2.0-OpenSSH_9.2\r\n"), "bad_response"),
    "nothing": (answering(b""), "bad_response"),
    "a redirect to itself": (answering(redirect("/a.mp4")), "too_many_redirects"),
    "a part": (answering(b"HTTP/1.1 206 OK\r\nContent-Length: 1\r\n\r\nx"), "bad_status"),
    "an error": (answering(b"HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nx"), "bad_status"),
    "a page": (answering(ok(b"<html>", "Content-Type: text/html")), "file_type_refused"),
    "no bytes": (answering(ok(b"", "Content-Type: video/mp4")), "empty_file"),
}


@pytest.mark.parametrize("case", LIARS)
def test_a_lying_server_is_let_go_soon(
    fetch: Callable[[str], str],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    settings.MAX_FILE_SIZE_BYTES = 4 * 1024 * 1024
    monkeypatch.setattr(exchange, "_HEAD_S", 0.3)
    monkeypatch.setattr(transfer, "_PACE_WINDOW_S", 0.3)
    answer, code = LIARS[case]
    started = time.monotonic()
    with HostileServer(answer) as server:
        settings.URL_ALLOWLIST = frozenset({server.authority})
        assert fetch(f"{server.url}/a.mp4") == code
    assert time.monotonic() - started < 5
