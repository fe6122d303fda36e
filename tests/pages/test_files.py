from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from ffapi_site.lib import ongoing
from media_jobs.models import JobInput
from storage.models import File
from tests.factories import FileFactory, JobFactory
from tests.harness.cast import Cast
from tests.harness.media import Samples


def upload(client: Client, content: bytes, name: str = "a.srt", **options: Any) -> Any:
    url = f"/files/upload?name={name}"
    return client.post(url, content, content_type="application/octet-stream", **options)


def test_it_works(alice: Client, cast: Cast) -> None:
    file = FileFactory.create(tenant=cast.tenant, name="Fähre.mp4")
    content = alice.get("/files").content.decode()
    assert "Fähre.mp4" in content
    assert f"/v1/files/{file.pk}/content?token=" in content


def test_it_finds_by_name(alice: Client, cast: Cast) -> None:
    FileFactory.create(tenant=cast.tenant, name="one.mp4")
    found = FileFactory.create(tenant=cast.tenant, name="Two.mp4")
    assert alice.get("/files?search=two").context["page"].rows == [found]


def test_it_shows_no_other_tenant_s(charlie: Client, cast: Cast) -> None:
    FileFactory.create(tenant=cast.tenant)
    assert charlie.get("/files").context["page"].rows == []


def test_it_takes_an_upload(alice: Client, cast: Cast, media: Samples) -> None:
    content = media.path("film").read_bytes()
    response = upload(alice, content, "F%C3%A4hre.mp4")
    assert response.status_code == 201
    file = File.objects.get(pk=response.json()["id"])
    assert (file.name, file.tenant, file.size_bytes) == ("Fähre.mp4", cast.tenant, len(content))
    assert file.published_at
    assert file.media
    assert file.media["video"]["width"] == 640


def test_a_tenant_at_its_bound_is_told_so(alice: Client, cast: Cast) -> None:
    with ExitStack() as held:
        for _ in range(settings.AT_ONCE_PER_TENANT["uploads"]):
            held.enter_context(ongoing.UPLOADS.one_of(cast.tenant.pk))
        refused = upload(alice, b"hello")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_at_once")


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.mp4", "empty_file"),
        (b"hello", "a.mp4", "media_type_mismatch"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "a.mp4", "playlist_refused"),
        (b"hello", "a.sh", "extension_blocked"),
        (b"hello", "", "bad_name"),
    ],
)
def test_it_refuses_what_the_api_refuses(
    alice: Client, content: bytes, name: str, code: str
) -> None:
    response = upload(alice, content, name)
    assert response.status_code == 422
    assert json.loads(response.content)["errors"][0]["code"] == code
    assert not File.objects.exists()


def test_it_stops_at_the_largest_size(alice: Client, settings: Settings) -> None:
    settings.MAX_FILE_SIZE_BYTES = 100
    assert upload(alice, b"x" * 101).status_code == 413
    assert not list(Path(str(settings.FILE_UPLOAD_TEMP_DIR)).iterdir())
    assert not File.objects.exists()


def test_it_says_that_the_disk_is_full(alice: Client, settings: Settings) -> None:
    settings.MIN_FREE_SPACE_MB = 10**9
    subtitles = b"1\n00:00:00,000 --> 00:00:01,000\n"
    response = upload(alice, subtitles, headers={"Accept": "application/json"})  # as the script
    assert (response.status_code, response.json()["code"]) == (503, "storage_full")
    assert response["Retry-After"]
    assert not File.objects.exists()


def test_a_length_that_no_number_holds_is_too_large(alice: Client) -> None:
    assert upload(alice, b"x", CONTENT_LENGTH="9" * 30).status_code == 413


def test_without_the_scanner_nothing_is_taken(alice: Client, settings: Settings) -> None:
    settings.ENABLE_VIRUS_SCANNING, settings.CLAMAV_SOCKET = True, "/nowhere/clamd"
    response = upload(alice, b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n")
    assert (response.status_code, response.json()["code"]) == (503, "scanner_unavailable")
    assert response["Retry-After"] == "60"
    assert not File.objects.exists()


def test_an_upload_needs_the_form_s_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    subtitles = b"1\n00:00:00,000 --> 00:00:01,000\nhello\n"
    assert upload(client, subtitles).status_code == 403
    client.get("/files")
    token = client.cookies["csrftoken"].value
    assert upload(client, subtitles, headers={"X-CSRFToken": token}).status_code == 201


def test_a_viewer_may_not_upload(bob: Client) -> None:
    assert upload(bob, b"x").status_code == 403


def test_it_deletes(alice: Client, cast: Cast) -> None:
    file = FileFactory.create(tenant=cast.tenant)
    assert alice.post(f"/files/{file.pk}/delete")["Location"] == "/files"
    assert not File.objects.exists()


def test_it_keeps_what_a_job_reads(alice: Client, cast: Cast) -> None:
    file = FileFactory.create(tenant=cast.tenant)
    JobInput.objects.create(job=JobFactory.create(tenant=cast.tenant), role="input", file=file)
    response = alice.post(f"/files/{file.pk}/delete")
    assert response.status_code == 409
    assert "reads this file" in response.content.decode()


def test_a_viewer_may_not_delete(bob: Client, cast: Cast) -> None:
    file = FileFactory.create(tenant=cast.tenant)
    assert b"popovertarget" not in bob.get("/files").content
    assert bob.post(f"/files/{file.pk}/delete").status_code == 403


def test_another_tenant_s_is_absent(charlie: Client, cast: Cast) -> None:
    file = FileFactory.create(tenant=cast.tenant)
    assert charlie.post(f"/files/{file.pk}/delete").status_code == 404
