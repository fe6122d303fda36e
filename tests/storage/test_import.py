from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from ffapi_site.lib import ongoing
from storage.models import File
from tests.factories import TenantFactory
from tests.harness.api_client import client_of
from tests.harness.media import Samples

pytestmark = pytest.mark.django_db


class FarEnd(BaseHTTPRequestHandler):
    """A web server that gives what the test put into ``pages``."""

    pages: dict[str, tuple[int, dict[str, str], bytes]]
    asked: list[str]
    at: str

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, headers, body = self.pages.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def far_end(settings: Settings) -> Iterator[type[FarEnd]]:
    handler = type("Handler", (FarEnd,), {"pages": {}, "asked": []})
    assert issubclass(handler, FarEnd)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    handler.at = f"http://127.0.0.1:{server.server_port}"
    settings.URL_ALLOWLIST = frozenset({f"127.0.0.1:{server.server_port}"})
    yield handler
    server.shutdown()
    server.server_close()


@pytest.fixture
def client() -> Client:
    return client_of(TenantFactory.create())


def send(client: Client, body: Any, **headers: str) -> Any:
    return client.post("/v1/files", body, content_type="application/json", headers=headers)


def refusal(response: Any) -> tuple[int, str, str]:
    assert not File.objects.exists()
    [error] = response.json()["errors"]
    return response.status_code, error["pointer"], error["code"]


def left_behind(settings: Settings) -> list[Path]:
    return list(Path(str(settings.FILE_UPLOAD_TEMP_DIR)).iterdir())


def test_it_works(client: Client, far_end: Any, media: Samples, settings: Settings) -> None:
    film = media.path("film").read_bytes()
    far_end.pages["/clips/a%20film.mp4?x=1"] = (200, {}, film)
    far_end.pages["/moved"] = (302, {"Location": "/clips/a%20film.mp4?x=1"}, b"")
    said = {"url": f"{far_end.at}/moved", "tags": ["far"], "metadata": {"a": 1}}
    response = send(client, said)
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["name"], body["size_bytes"]) == ("a film.mp4", len(film))
    assert (body["tags"], body["metadata"]) == (["far"], {"a": 1})
    assert body["media"]["video"]["width"] == 640
    assert File.objects.get().origin == "url"
    assert body["sha256"] == hashlib.sha256(film).hexdigest()
    assert left_behind(settings) == []


def test_a_name_of_ones_own(client: Client, far_end: Any) -> None:
    far_end.pages["/"] = (200, {}, b"WEBVTT\n")
    assert send(client, {"url": far_end.at, "name": "b.vtt"}).json()["name"] == "b.vtt"


def test_a_repeated_request_fetches_once(client: Client, far_end: Any) -> None:
    far_end.pages["/a.vtt"] = (200, {}, b"WEBVTT\n")
    said = {"url": f"{far_end.at}/a.vtt"}
    first, again = (send(client, said, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json() == again.json()
    assert far_end.asked == ["/a.vtt"]


def test_what_came_is_checked_like_an_upload(
    client: Client, far_end: Any, settings: Settings
) -> None:
    far_end.pages["/a.mp4"] = (200, {"Content-Type": "video/mp4"}, b"#EXTM3U\n")
    response = send(client, {"url": f"{far_end.at}/a.mp4"})
    assert refusal(response) == (422, "/url", "playlist_refused")
    assert left_behind(settings) == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:9/a.mp4", "url_address_not_allowed"),
        ("http://169.254.169.254/latest/meta-data/", "url_address_not_allowed"),
        ("http://localhost/a.mp4", "url_address_not_allowed"),
        ("file:///etc/passwd", "url_scheme_not_allowed"),
        ("http://user:secret@example.org/", "url_has_credentials"),
        ("nonsense", "url_scheme_not_allowed"),
    ],
)
def test_addresses_that_are_refused(
    client: Client, settings: Settings, url: str, code: str
) -> None:
    assert refusal(send(client, {"url": url})) == (422, "/url", code)
    assert left_behind(settings) == []


def test_a_redirect_inside_is_refused(client: Client, far_end: Any) -> None:
    far_end.pages["/a"] = (302, {"Location": "http://169.254.169.254/"}, b"")
    response = send(client, {"url": f"{far_end.at}/a"})
    assert refusal(response) == (422, "/url", "url_address_not_allowed")


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ((404, {}, b""), "bad_status"),
        ((200, {"Content-Length": "50"}, b"short"), "content_length_mismatch"),
        ((200, {}, b"WEBVTT" + b" " * 1024 * 1024), "too_large"),
        ((200, {"Content-Length": str(10**12)}, b""), "too_large"),
        ((200, {}, b""), "empty_file"),
    ],
)
def test_what_the_far_end_does_wrong(
    client: Client, far_end: Any, settings: Settings, page: Any, code: str
) -> None:
    settings.MAX_FILE_SIZE_BYTES = 1024 * 1024
    far_end.pages["/a.vtt"] = page
    assert refusal(send(client, {"url": f"{far_end.at}/a.vtt"})) == (422, "/url", code)
    assert left_behind(settings) == []


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/url", "required"),
        ({"url": ""}, "/url", "invalid"),
        ({"url": 5}, "/url", "invalid"),
        ({"url": "http://a/", "file": "x"}, "/file", "unknown_field"),
        ({"url": "http://a/", "name": "x.exe"}, "/name", "invalid"),
        ({"url": "http://a/", "tags": "x"}, "/tags", "invalid"),
    ],
)
def test_wrong_fields(client: Client, body: Any, pointer: str, code: str) -> None:
    assert refusal(send(client, body)) == (422, pointer, code)


def test_a_tenant_at_its_bound_leaves_places(far_end: type[FarEnd]) -> None:
    tenant, stranger = TenantFactory.create_batch(2)
    far_end.pages["/a.srt"] = (200, {}, b"1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    body = {"url": f"{far_end.at}/a.srt"}
    with ExitStack() as held:
        for _ in range(settings.AT_ONCE_PER_TENANT["imports"]):
            held.enter_context(ongoing.IMPORTS.one_of(tenant.pk))
        refused = send(client_of(tenant), body)
        assert send(client_of(stranger), body).status_code == 201
    assert refused.status_code == 429
    assert refused.json()["code"] == "too_many_at_once"
    assert far_end.asked == ["/a.srt"]
    assert send(client_of(tenant), body).status_code == 201
