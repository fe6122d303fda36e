from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from storage import hooks, retention, store
from storage.models import File
from storage.models.file import Origin
from storage.retention import Swept, not_removed, sweep
from tests.factories import FileFactory, TenantFactory

pytestmark = pytest.mark.django_db
PAST = timezone.now() - timedelta(seconds=1)


def unpublished(tmp_path: Path) -> File:
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    return store.add(TenantFactory.create().pk, source, name="a.mp4", origin=Origin.JOB)


def files_under(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_it_works(media_root: Path) -> None:
    FileFactory.create(expires_at=PAST)
    kept = FileFactory.create()
    assert sweep() == Swept(expired=1)
    assert File.objects.get() == kept
    assert files_under(media_root) == 1


def test_what_is_told_of_media_is_not_read_for_all_at_once() -> None:
    for _ in range(2):
        FileFactory.create(expires_at=PAST)
    with CaptureQueriesContext(connection) as asked:
        assert sweep() == Swept(expired=2)
    batches = [each["sql"] for each in asked if f"LIMIT {retention._BATCH}" in each["sql"]]
    assert batches
    assert not any('"media"' in batch for batch in batches)


def test_files_expire_after_the_days_that_they_are_kept(settings: Settings) -> None:
    settings.RETENTION_DAYS = 3
    expires_at = FileFactory.create().expires_at
    assert expires_at is not None
    left = expires_at - timezone.now()
    assert timedelta(days=2, hours=23, minutes=59) < left <= timedelta(days=3)


def test_a_row_never_published_goes_after_a_day(tmp_path: Path, media_root: Path) -> None:
    young = unpublished(tmp_path)
    old = unpublished(tmp_path)
    File.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=25))
    assert sweep() == Swept(leftovers=1)
    assert File.objects.get() == young
    assert files_under(media_root) == 1


def test_a_row_whose_bytes_never_came_goes_too(tmp_path: Path, media_root: Path) -> None:
    file = unpublished(tmp_path)
    (media_root / file.storage_key).unlink()
    File.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert sweep() == Swept(leftovers=1)


def test_an_interrupted_removal_is_finished(
    media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = FileFactory.create()
    monkeypatch.setattr("django.core.files.storage.FileSystemStorage.delete", broken)
    with pytest.raises(OSError, match="broken"):
        store.remove(file)
    assert not File.objects.published().exists()
    monkeypatch.undo()
    assert sweep().expired == 1
    assert files_under(media_root) == 0


def test_it_keeps_what_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    file = FileFactory.create(expires_at=PAST)
    FileFactory.create(expires_at=PAST)
    monkeypatch.setattr(hooks, "in_use", lambda files: files.filter(pk=file.pk))
    assert sweep() == Swept(expired=1, kept_in_use=1)
    assert File.objects.get() == file


def test_remains_of_uploads_go_after_ten_minutes(settings: Settings) -> None:
    folder = Path(str(settings.FILE_UPLOAD_TEMP_DIR))
    for name, age_s in (("upload_1.part", 601), ("upload_2.part", 500), ("else", 999)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age_s,) * 2)
    assert sweep() == Swept(uploads=1)
    assert {path.name for path in folder.iterdir()} == {"upload_2.part", "else"}


def test_one_that_can_t_be_removed_holds_up_no_other(
    media_root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """R31: an immutable file, a disk that fails: it is said once, and tried again after an hour."""
    stuck = FileFactory.create(expires_at=PAST)
    FileFactory.create(expires_at=PAST)
    remove = FileSystemStorage.delete

    def fail(storage: FileSystemStorage, name: str) -> None:
        if name == stuck.storage_key:
            raise PermissionError(1, "Operation not permitted")
        remove(storage, name)

    monkeypatch.setattr(FileSystemStorage, "delete", fail)
    assert sweep().expired == 1
    assert sweep().expired == 0
    assert caplog.text.count("An item of a chore failed") == 1
    assert not_removed() == 1
    monkeypatch.undo()
    assert sweep().expired == 0
    hour_ago = timezone.now() - timedelta(minutes=61)
    File.objects.filter(pk=stuck.pk).update(removal_failed_at=hour_ago)
    assert sweep().expired == 1
    assert (not_removed(), files_under(media_root)) == (0, 0)


@pytest.mark.parametrize("error", [PermissionError(1, "no"), FileNotFoundError(2, "gone")])
def test_an_upload_s_remains_that_can_t_go_hold_up_no_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    folder = Path(str(settings.FILE_UPLOAD_TEMP_DIR))
    for name in ("upload_1.part", "upload_2.part", "upload_3.part"):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - 601,) * 2)
    unlink = Path.unlink

    def fail(path: Path, **options: bool) -> None:
        if path.name == "upload_2.part":
            raise error
        unlink(path, **options)

    monkeypatch.setattr(Path, "unlink", fail)
    assert sweep().uploads == 2
    monkeypatch.undo()
    (folder / "upload_2.part").unlink()


def test_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    FileFactory.create(expires_at=PAST)
    call_command("sweep_files")
    assert "expired: 1" in capsys.readouterr().out


def broken(*_: object) -> None:
    raise OSError("broken")
