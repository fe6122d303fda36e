"""R33: whichever way bytes come, the reserve of the disk stays, and the answer says why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from ffapi_site.lib import room
from ffapi_site.lib.room import NoRoom, room_on
from storage import store
from storage.intake.landing import landing
from storage.models import File
from tests.factories import FileFactory, TenantFactory
from tests.harness.api_client import client_of
from tests.harness.disks import free_mb, small_disk
from tests.storage.test_import import FarEnd, far_end, send

__all__ = ["far_end"]
pytestmark = pytest.mark.django_db
MIB = 1 << 20
RESERVE_MB = 8


@pytest.fixture
def disk(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    settings.MIN_FREE_SPACE_MB = RESERVE_MB
    with small_disk(tmp_path / "small", 32 * MIB) as disk:
        yield disk


@pytest.fixture
def uploads(disk: Path, settings: Settings) -> Path:
    settings.FILE_UPLOAD_TEMP_DIR = str(disk)
    return disk


@pytest.fixture
def client() -> Client:
    return client_of(TenantFactory.create())


def check_refused(answer: Any) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_full")
    assert answer["Retry-After"]
    assert not File.objects.exists()


def test_an_import(client: Client, far_end: type[FarEnd], uploads: Path) -> None:
    far_end.pages["/large.mp4"] = (200, {}, bytes(30 * MIB))
    check_refused(send(client, {"url": f"{far_end.at}/large.mp4"}))
    assert free_mb(uploads) == 32


def test_an_upload_whose_room_others_keep(client: Client, uploads: Path) -> None:
    body = b"1\n00:00:00,000 --> 00:00:01,000\n".ljust(5 * MIB, b"x")
    content = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.srt"\r\n\r\n' + body
    with room_on(uploads) as other:
        other.keep(20 * MIB)
        kind = "multipart/form-data; boundary=b"
        check_refused(client.post("/v1/files", content + b"\r\n--b--\r\n", content_type=kind))


def test_uploads_that_send_nothing_leave_the_disk_to_others(
    client: Client, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "AHEAD_BYTES", MIB)
    body = b"1\n00:00:00,000 --> 00:00:01,000\nSpoken\n"
    with ExitStack() as announced:
        for _ in range(4):
            announced.enter_context(landing(18 * MIB, most_bytes=18 * MIB))
        sent = {"file": SimpleUploadedFile("a.srt", body)}
        assert client.post("/v1/files", sent).status_code == 201
        with pytest.raises(NoRoom):
            announced.enter_context(landing(30 * MIB, most_bytes=30 * MIB))


def test_a_copy_to_where_files_are_kept(disk: Path, tmp_path: Path, settings: Settings) -> None:
    options = settings.STORAGES["media"]["OPTIONS"] | {"location": str(disk)}
    settings.STORAGES = settings.STORAGES | {
        "media": settings.STORAGES["media"] | {"OPTIONS": options}
    }
    large = tmp_path / "large"
    large.write_bytes(bytes(25 * MIB))
    with pytest.raises(NoRoom):
        store.add(TenantFactory.create().pk, large, name="a.mp4", origin="upload")
    assert free_mb(disk) == 32


def test_a_copy_to_where_a_job_works(disk: Path) -> None:
    file = FileFactory.create(content=bytes(25 * MIB))
    with pytest.raises(NoRoom):
        store.place(file, disk / "0.mp4")
    assert free_mb(disk) >= RESERVE_MB
