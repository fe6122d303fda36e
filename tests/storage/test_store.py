from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from pytest_django import Settings

from storage import hooks, store
from storage.models import File
from storage.models.file import Origin
from tests.factories import TenantFactory

BYTES = b"not really media" * 1000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.bin"
    path.write_bytes(BYTES)
    return path


@pytest.fixture
def stored(db: None, source: Path) -> File:
    return store.add(TenantFactory.create().pk, source, name="a.mp4", origin=Origin.UPLOAD)


@pytest.fixture
def remote(settings: Settings) -> None:
    """A storage that has no local paths, like an object store."""
    backend = {"BACKEND": "tests.storage.remote.RemoteStorage"}
    settings.STORAGES = settings.STORAGES | {"media": backend}


def test_it_works(stored: File, source: Path, media_root: Path) -> None:
    sha256 = hashlib.sha256(BYTES).hexdigest()
    assert stored.storage_key == f"{stored.tenant_id}/{sha256[:2]}/{sha256}-{stored.pk}"
    assert (stored.size_bytes, stored.sha256) == (len(BYTES), sha256)
    assert stored.content_type == "video/mp4"
    assert (media_root / stored.storage_key).read_bytes() == BYTES
    assert not source.exists()
    assert stored.published_at is None
    assert not File.objects.published().exists()

    store.publish(stored)
    assert File.objects.published().get() == stored
    with store.open_content(stored) as content:
        assert content.read() == BYTES


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    flushed: list[Path] = []
    flush = os.fsync

    def watched(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    return flushed


def test_the_bytes_and_their_name_are_flushed(
    db: None, source: Path, media_root: Path, flushed: list[Path]
) -> None:
    """Else a power cut leaves a row of a file that is empty, or not there."""
    file = store.add(TenantFactory.create().pk, source, name="a", origin=Origin.UPLOAD)
    path, of_tenant = media_root / file.storage_key, media_root / file.tenant_id
    assert flushed == [path, path.parent, of_tenant, media_root, media_root.parent]


def test_folders_that_are_there_are_not_flushed_again(
    stored: File, source: Path, media_root: Path, flushed: list[Path]
) -> None:
    source.write_bytes(BYTES)
    again = store.add(stored.tenant_id, source, name="b", origin=Origin.UPLOAD)
    path = media_root / again.storage_key
    assert flushed == [path, path.parent]


def test_only_the_owner_can_reach_the_folder(stored: File, media_root: Path) -> None:
    stored_path = media_root / stored.storage_key
    assert stored_path.stat().st_mode & 0o777 == 0o644
    for folder in (media_root, *stored_path.parents[: len(stored_path.parts)]):
        if folder.is_relative_to(media_root):
            assert folder.stat().st_mode & 0o777 == 0o700


def test_the_same_bytes_twice_are_two_objects(stored: File, source: Path) -> None:
    source.write_bytes(BYTES)
    again = store.add(stored.tenant.pk, source, name="b.mp4", origin=Origin.UPLOAD)
    assert again.sha256 == stored.sha256
    store.remove(stored)
    with store.open_content(again) as content:
        assert content.read() == BYTES


def test_it_copies_where_the_source_stays(db: None, source: Path) -> None:
    file = store.add(TenantFactory.create().pk, source, name="a", origin=Origin.JOB, move=False)
    source.write_bytes(b"changed")
    with store.open_content(file) as content:
        assert content.read() == BYTES


def test_it_follows_no_link(db: None, tmp_path: Path, source: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(source)
    with pytest.raises(OSError, match="symbolic links"):
        store.add(TenantFactory.create().pk, link, name="a", origin=Origin.JOB)
    assert not File.objects.exists()


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_it_takes_regular_files_only(db: None, tmp_path: Path, kind: str) -> None:
    odd = tmp_path / kind
    odd.mkdir() if kind == "folder" else os.mkfifo(odd)
    with pytest.raises((ValueError, IsADirectoryError)):
        store.add(TenantFactory.create().pk, odd, name="a", origin=Origin.JOB)
    assert not File.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_row_is_committed_before_the_bytes(source: Path) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        store.add(TenantFactory.create().pk, source, name="a", origin=Origin.JOB)


def test_place_links(stored: File, tmp_path: Path, media_root: Path) -> None:
    target = tmp_path / "in.mp4"
    store.place(stored, target)
    assert target.samefile(media_root / stored.storage_key)


def test_place_never_overwrites(stored: File, tmp_path: Path) -> None:
    target = tmp_path / "in.mp4"
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        store.place(stored, target)
    assert target.read_bytes() == b"mine"


def test_place_says_that_the_bytes_are_gone(stored: File, tmp_path: Path, media_root: Path) -> None:
    (media_root / stored.storage_key).unlink()
    with pytest.raises(store.Gone):
        store.place(stored, tmp_path / "in.mp4")
    with pytest.raises(store.Gone):
        store.open_content(stored)


def test_place_copies_to_another_file_system(stored: File) -> None:
    with TemporaryDirectory(dir="/dev/shm") as folder:
        target = Path(folder) / "in.mp4"
        store.place(stored, target)
        assert target.read_bytes() == BYTES


def test_a_remote_storage_serves_as_well(
    remote: None, db: None, source: Path, tmp_path: Path
) -> None:
    file = store.add(TenantFactory.create().pk, source, name="a.mp4", origin=Origin.UPLOAD)
    assert not source.exists()
    store.place(file, tmp_path / "in.mp4")
    assert (tmp_path / "in.mp4").read_bytes() == BYTES
    store.remove(file)
    assert not storages["media"].exists(file.storage_key)


def test_a_damaged_copy_is_noticed(remote: None, db: None, source: Path, tmp_path: Path) -> None:
    file = store.add(TenantFactory.create().pk, source, name="a.mp4", origin=Origin.UPLOAD)
    storages["media"].delete(file.storage_key)
    storages["media"].save(file.storage_key, ContentFile(BYTES[:-1]))
    with pytest.raises(store.Gone):
        store.place(file, tmp_path / "in.mp4")
    assert not (tmp_path / "in.mp4").exists()


def test_remove(stored: File, media_root: Path) -> None:
    store.publish(stored)
    store.remove(stored)
    assert not File.objects.exists()
    assert not (media_root / stored.storage_key).exists()


def test_remove_keeps_what_is_in_use(stored: File, monkeypatch: pytest.MonkeyPatch) -> None:
    store.publish(stored)
    monkeypatch.setattr(hooks, "in_use", all_of_them)
    with pytest.raises(store.InUse):
        store.remove(stored)
    assert File.objects.published().get() == stored


def test_what_the_sweep_took_is_not_published(stored: File) -> None:
    File.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(store.Gone):
        store.publish(stored)


def all_of_them(files: QuerySet[File]) -> QuerySet[File]:
    return files
