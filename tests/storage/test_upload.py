from __future__ import annotations

import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from accounts.models import Tenant
from accounts.roles import Role
from ffapi_site.lib import ongoing
from media_jobs.host import probe
from media_jobs.sandbox import allowed_paths
from storage.models import File
from tests.factories import TenantFactory
from tests.harness.api_client import client_of
from tests.harness.media import FFMPEG, Samples

pytestmark = pytest.mark.django_db
SUBTITLES = b"1\n00:00:00,000 --> 00:00:01,000\nhello\n"


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return client_of(tenant)


def send(
    client: Client, content: bytes, name: str = "a.srt", fields: Any = None, **headers: str
) -> Any:
    upload = SimpleUploadedFile("x", content)
    vars(upload)["_name"] = name  # as the client spells it
    return client.post("/v1/files", {"file": upload} | (fields or {}), headers=headers)


def refusal(response: Any) -> tuple[int, str, str]:
    """Status, pointer and code of a refusal, after which nothing may be left."""
    body = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert not File.objects.exists()
    [error] = body["errors"]
    return response.status_code, error["pointer"], error["code"]


def left_behind(settings: Settings) -> list[Path]:
    return list(Path(str(settings.FILE_UPLOAD_TEMP_DIR)).iterdir())


def test_it_works(client: Client, tenant: Tenant, media: Samples, settings: Settings) -> None:
    film = media.path("film")
    content = film.read_bytes()
    fields = {"tags": ["one", "two"], "metadata": '{"episode": 7}'}
    response = send(client, content, "Fähre.mp4", fields)

    assert response.status_code == 201, response.content
    body = response.json()
    file = File.objects.get()
    assert response["Location"] == f"/v1/files/{file.pk}"
    assert set(body) == {
        *("id", "name", "size_bytes", "content_type", "sha256", "media", "tags", "metadata"),
        *("created_at", "expires_at", "download_url"),
    }
    assert (body["id"], body["name"], body["size_bytes"]) == (file.pk, "Fähre.mp4", len(content))
    assert body["content_type"] == "video/mp4"
    assert body["sha256"] == hashlib.sha256(content).hexdigest()
    assert (body["tags"], body["metadata"]) == (["one", "two"], {"episode": 7})
    assert body["media"]["duration_s"] == pytest.approx(4, abs=0.1)
    assert (body["media"]["video"]["width"], body["media"]["video"]["height"]) == (640, 360)
    assert (file.tenant, file.origin) == (tenant, "upload")
    assert left_behind(settings) == []

    link = body["download_url"].removeprefix(settings.PUBLIC_BASE_URL)
    downloaded = Client().get(link)
    assert downloaded.getvalue() == content


@pytest.mark.parametrize(
    ("sample", "content_type"),
    [("photo", "image/jpeg"), ("logo", "image/png"), ("quiet_music", "audio/wav")],
)
def test_sound_and_pictures(client: Client, media: Samples, sample: str, content_type: str) -> None:
    path = media.path(sample)
    body = send(client, path.read_bytes(), path.name).json()
    assert body["content_type"] == content_type
    assert body["media"]


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("a.srt", SUBTITLES, "text/x-subrip"),
        ("noname", SUBTITLES, "text/x-subrip"),
        ("a.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n", "text/vtt"),
        ("a.ass", "[Script Info]\nTitle: ä\n".encode("utf-16"), "text/x-ass"),
        ("a.srt", "1\n00:00:00,000 --> 00:00:01,000\nGrüße".encode("latin-1"), "text/x-subrip"),
        ("font.ttf", b"\x00\x01\x00\x00\x00\x0f" + bytes(100), "font/ttf"),
        ("warm.cube", b"LUT_3D_SIZE 2\n0 0 0\n", "text/x-cube"),
    ],
)
def test_what_has_no_streams(client: Client, name: str, content: bytes, content_type: str) -> None:
    body = send(client, content, name).json()
    assert (body["content_type"], body["media"]) == (content_type, None)


M3U8 = b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.mp4", b"", "empty_file"),
        ("a.mp4", b"just some text", "media_type_mismatch"),
        ("a.txt", b"just some text", "media_type_mismatch"),
        ("a.json", b'{"a": 1}', "media_type_mismatch"),
        ("a.ttf", b"\x00\x02 no font", "media_type_mismatch"),
        ("a.srt", b"\x00\x01\x02\x03binary", "media_type_mismatch"),
        ("a.mp4", M3U8, "playlist_refused"),
        ("a.srt", b"\xef\xbb\xbf \n" + M3U8, "playlist_refused"),
        ("a.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", "playlist_refused"),
        ("a.mp4", b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", "playlist_refused"),
        ("a.srt", b"hello\nc=IN IP4 127.0.0.1\n", "playlist_refused"),
        ("a.mkv", b'<?xml version="1.0"?>\n<MPD profiles="x">', "playlist_refused"),
        ("a.srt", b" " * 5000 + b"<mpd xmlns='urn:mpeg:dash:schema'>", "playlist_refused"),
        ("list.m3u8", b"\x00binary", "playlist_refused"),
        ("a.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "file_type_refused"),
        ("a.svg", b'<?xml version="1.0"?>\n<!-- x --> <svg/>', "file_type_refused"),
        ("a.mp4", b"<!DOCTYPE html><script>", "file_type_refused"),
        ("a.mp4", b"\x7fELF\x02\x01\x01" + bytes(100), "file_type_refused"),
        ("a.mp4", b"#!/bin/sh\nid\n", "file_type_refused"),
        ("a.mp4", b"%!PS-Adobe-3.0", "file_type_refused"),
        ("a.mp4", b"PK\x03\x04" + bytes(100), "file_type_refused"),
        ("a.mp4", b"\x00" * 5000, "media_unreadable"),
        ("a.mp4", bytes(range(256)) * 20, "media_unreadable"),
        ("run.EXE", b"\x00" * 10, "extension_blocked"),
        ("run.sh. ", b"\x00" * 10, "extension_blocked"),
        ("..", SUBTITLES, "bad_name"),
        ("a" * 252 + ".srt", SUBTITLES, "name_too_long"),
    ],
)
def test_what_is_not_taken(
    client: Client, settings: Settings, name: str, content: bytes, code: str
) -> None:
    assert refusal(send(client, content, name)) == (422, "/file", code)
    assert left_behind(settings) == []


def test_a_truncated_film_says_why(client: Client, media: Samples) -> None:
    half = media.path("film").read_bytes()[:20_000]  # its index is at the end
    response = send(client, half, "a.mp4")
    assert refusal(response) == (422, "/file", "media_unreadable")
    assert "/" not in response.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd.srt", "passwd.srt"),
        ("C:\\films\\a.srt", "a.srt"),
        ("a\u202esrt.\u0000\tb.srt", "asrt.b.srt"),
        ("e\u0301.srt", "\u00e9.srt"),
        ("-vf %d a|b.srt", "-vf %d a|b.srt"),
        ("a&amp;b.srt", "a&amp;b.srt"),
    ],
)
def test_names_are_cleaned(client: Client, given: str, name: str) -> None:
    boundary = "b0undary"
    body = multipart(boundary, [("file", given, SUBTITLES)])
    response = post_raw(client, body, boundary)
    assert response.status_code == 201, response.content
    assert response.json()["name"] == name


@pytest.mark.parametrize("content", [SUBTITLES, b"\x00" * 1_000_000])
@pytest.mark.parametrize("before", [b"", b"x" * 5000])
def test_a_name_in_latin_1_is_called_that(client: Client, before: bytes, content: bytes) -> None:
    body = multipart(
        "b", [("metadata", "", b'{"a": "' + before + b'"}'), ("file", "ü.srt", content)]
    )
    response = post_raw(client, body.replace("ü".encode(), "ü".encode("latin-1")))
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/file", "not_utf8")
    assert "not in UTF-8" in error["detail"]


@pytest.mark.parametrize("field", ["name", "tags", "metadata"])
def test_a_field_in_latin_1_is_not_guessed_at(client: Client, field: str) -> None:
    value = '{"a": "ü"}' if field == "metadata" else "ü"
    parts = [(field, "", value.encode("latin-1")), ("file", "a.srt", SUBTITLES)]
    response = post_raw(client, multipart("b", parts))
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert (error["pointer"], error["code"]) == (f"/{field}", "not_utf8")
    assert not File.objects.exists()
    parts[0] = (field, "", value.encode())
    assert post_raw(client, multipart("b", parts)).status_code == 201


def multipart(boundary: str, parts: Iterable[tuple[str, str, bytes]]) -> bytes:
    """A body as a client writes it that escapes nothing."""
    whole = b""
    for field, filename, content in parts:
        named = f'; filename="{filename.replace(chr(92), chr(92) * 2)}"' if filename else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"{named}\r\n\r\n'
        whole += head.encode() + content + b"\r\n"
    return whole + f"--{boundary}--\r\n".encode()


def post_raw(client: Client, body: bytes, boundary: str = "b", **headers: str) -> Any:
    kind = f"multipart/form-data; boundary={boundary}"
    return client.post("/v1/files", body, content_type=kind, headers=headers)


def test_too_large(client: Client, settings: Settings, media_root: Path) -> None:
    settings.MAX_FILE_SIZE_MB, settings.MAX_FILE_SIZE_BYTES = 1, 1024 * 1024
    at_the_bound = SUBTITLES + b" " * (1024 * 1024 - len(SUBTITLES))
    assert send(client, at_the_bound).status_code == 201
    File.objects.all().delete()
    response = send(client, at_the_bound + b" ")
    assert (response.status_code, response.json()["code"]) == (413, "file_too_large")
    assert "1 MiB" in response.json()["detail"]
    assert not File.objects.exists()
    assert left_behind(settings) == []


def test_no_room_on_the_disk(client: Client, settings: Settings) -> None:
    settings.MIN_FREE_SPACE_MB = 10**9
    response = send(client, SUBTITLES)
    assert (response.status_code, response.json()["code"]) == (503, "storage_full")
    assert response["Retry-After"]


def test_a_body_that_ends_early(client: Client, settings: Settings) -> None:
    body = multipart("b", [("file", "a.srt", SUBTITLES)])
    for cut in (len(body) - 8, len(body) // 2, 20, 3):
        response = post_raw(client, body[:cut])
        assert (response.status_code, response.json()["code"]) == (400, "body_incomplete")
    assert not File.objects.exists()
    assert left_behind(settings) == []


@pytest.mark.parametrize(
    ("parts", "pointer", "code"),
    [
        ([], "/file", "required"),
        ([("file", "", b"no filename")], "/file", "required"),
        ([("film", "a.srt", SUBTITLES)], "/film", "unknown_field"),
        ([("file", "a.srt", SUBTITLES)] * 2, "/file", "too_many_files"),
        ([("file", "a.srt", SUBTITLES), ("colour", "", b"red")], "/colour", "unknown_field"),
        ([("file", "a.srt", SUBTITLES), ("metadata", "", b"[1]")], "/metadata", "invalid"),
        ([("file", "a.srt", SUBTITLES), ("metadata", "", b"{")], "/metadata", "not_json"),
        ([("file", "a.srt", SUBTITLES), ("tags", "", b"")], "/tags/0", "invalid"),
        ([("file", "a.srt", SUBTITLES), ("tags", "", b"a\x00b")], "/tags/0", "invalid"),
        ([("file", "a.srt", SUBTITLES), ("tags", "", b'["a", 1]')], "/tags/1", "invalid"),
        ([("file", "a.srt", SUBTITLES), ("tags", "", b"x" * 65)], "/tags/0", "invalid"),
        ([("file", "a.srt", SUBTITLES), ("name", "", b"/")], "/name", "invalid"),
        (
            [("file", "a.srt", SUBTITLES), ("name", "", b"a"), ("name", "", b"b")],
            "/name",
            "invalid",
        ),
    ],
)
def test_wrong_fields(
    client: Client,
    settings: Settings,
    parts: list[tuple[str, str, bytes]],
    pointer: str,
    code: str,
) -> None:
    assert refusal(post_raw(client, multipart("b", parts))) == (422, pointer, code)
    assert left_behind(settings) == []


def test_fields_may_come_before_the_file(client: Client) -> None:
    parts = [("tags", "", b'["x", "y"]'), ("name", "", b"b.srt"), ("file", "a.srt", SUBTITLES)]
    body = post_raw(client, multipart("b", parts)).json()
    assert (body["name"], body["tags"]) == ("b.srt", ["x", "y"])


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=ü"])
def test_without_a_boundary(client: Client, kind: str) -> None:
    response = client.post("/v1/files", b"x", content_type=kind)
    assert (response.status_code, response.json()["code"]) == (400, "bad_multipart")


@pytest.mark.parametrize("kind", ["text/plain", "video/mp4", "application/x-www-form-urlencoded"])
def test_other_content_types(client: Client, kind: str) -> None:
    assert client.post("/v1/files", b"x", content_type=kind).status_code == 415


def test_a_repeated_request_makes_one_file(client: Client) -> None:
    first, again = (send(client, SUBTITLES, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert json.loads(first.content) == json.loads(again.content)
    assert again["Idempotency-Replayed"] == "true"
    assert File.objects.count() == 1

    other = send(client, SUBTITLES + b" ", **{"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    tagged = send(client, SUBTITLES, fields={"tags": "x"}, **{"Idempotency-Key": "k"})
    assert tagged.status_code == 422


def test_without_a_key(tenant: Tenant) -> None:
    assert send(Client(), SUBTITLES).status_code == 401


@pytest.mark.parametrize("fields", [{"role": Role.VIEWER}, {"scopes": ["files:read"]}])
def test_without_the_scope(tenant: Tenant, fields: dict[str, Any], settings: Settings) -> None:
    response = send(client_of(tenant, **fields), SUBTITLES)
    assert (response.status_code, response.json()["required_scope"]) == (403, "files:create")
    assert left_behind(settings) == []


def test_a_tenant_at_its_bound_leaves_places(
    client: Client, tenant: Tenant, settings: Settings
) -> None:
    with ExitStack() as held:
        for _ in range(settings.AT_ONCE_PER_TENANT["uploads"]):
            held.enter_context(ongoing.UPLOADS.one_of(tenant.pk))
        refused = send(client, SUBTITLES, "a.srt")
        assert send(client_of(TenantFactory.create()), SUBTITLES, "a.srt").status_code == 201
    assert refused.status_code == 429
    assert (refused.json()["code"], refused["Retry-After"]) == ("too_many_at_once", "5")
    assert send(client, SUBTITLES, "a.srt").status_code == 201


def test_looks_of_ffprobe_are_bounded_for_each_tenant(
    client: Client,
    tenant: Tenant,
    media: Samples,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe, "_PATIENCE_S", 0.1)
    picture = media.path("logo").read_bytes()
    with ExitStack() as held:
        for _ in range(settings.AT_ONCE_PER_TENANT["probes"]):
            held.enter_context(ongoing.PROBES.one_of(tenant.pk))
        assert send(client, picture, "a.png").json()["code"] == "too_many_at_once"
        stranger = client_of(TenantFactory.create())
        assert send(stranger, picture, "a.png").status_code == 201
    assert send(client, picture, "a.png").status_code == 201


def test_three_tenants_whose_looks_never_end_keep_no_fourth_out(
    client: Client, media: Samples
) -> None:
    look_s, over = 1.0, threading.Event()

    def look_without_end(tenant_id: str) -> None:
        while not over.is_set():
            with ongoing.PROBES.one_of(tenant_id, patience_s=30):
                over.wait(look_s)

    threads = [threading.Thread(target=look_without_end, args=(name,)) for name in "abc" * 8]
    picture = media.path("logo").read_bytes()
    own_s = _seconds_of(lambda: send(client, picture, "a.png"))
    for thread in threads:
        thread.start()
    try:
        time.sleep(look_s / 2)
        found_s = [_seconds_of(lambda: send(client, picture, "a.png")) for _ in range(3)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert File.objects.count() == 4
    assert max(found_s) < look_s + 2 * own_s + 0.5


def _seconds_of(what: Callable[[], object]) -> float:
    started = time.monotonic()
    what()
    return time.monotonic() - started


def test_a_look_holds_so_much_memory_and_no_more(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "a.bmp"
    large = ("-f", "lavfi", "-i", "testsrc2=s=4000x4000", "-frames:v", "1")
    subprocess.run([*FFMPEG, *large, picture], check=True)
    little = replace(probe.AT_THE_DOOR, memory_bytes=8 << 20)
    monkeypatch.setattr(probe, "AT_THE_DOOR", little)
    refused = send(client, picture.read_bytes(), "a.bmp")
    assert refused.status_code == 422
    assert not File.objects.exists()


def test_nothing_is_taken_where_ffprobe_can_t_be_confined(
    client: Client, media: Samples, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data lie where FFmpeg may read, say: the web server starts it no more than a slot."""
    exposed = allowed_paths.Private("media", Path("/usr/lib/ffapi"))
    monkeypatch.setattr(allowed_paths, "kept", lambda: [exposed])
    response = send(client, media.path("film").read_bytes(), "a.mp4")
    assert response.status_code == 503, response.content
    assert "can't be confined" in response.json()["detail"]
    assert "/usr/lib" not in response.content.decode()
    assert not File.objects.exists()
    assert left_behind(settings) == []
