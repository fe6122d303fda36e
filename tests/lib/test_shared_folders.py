"""Root works in the web server's folders, and what that user put there leads it nowhere."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from django.conf import settings as real_settings
from pytest_django import Settings

from ffapi_site.lib import room, shared_folders
from ffapi_site.lib.system_user import SITE_USER, system_user
from media_jobs.host import scratch
from media_jobs.models import Job
from media_jobs.sandbox import canaries
from media_jobs.sandbox.allowed_paths import Private
from storage import store
from storage.models import File
from storage.models.file import Origin
from tests.factories import TenantFactory
from tests.harness.processes import exit_status, forked

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")

USER = system_user(SITE_USER) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
BYTES = b"a tenant's" * 1000


@pytest.fixture
def data(settings: Settings) -> Iterator[Path]:
    """A data folder as a site that root serves has it, with something of root's beside."""
    # Where that user can pass, which is not so of pytest's own folder.
    data = Path(mkdtemp(prefix="shared-", dir=real_settings.DATA_DIR))
    data.chmod(0o755)
    user = system_user(SITE_USER)
    for name in ("media", "uploads", "room"):
        (data / name).mkdir(mode=0o700)
        os.chown(data / name, user.pw_uid, user.pw_gid)
    (data / "roots").mkdir(mode=0o700)
    (data / "roots" / "file").write_text("root's")
    settings.DATA_DIR, settings.SCRATCH_DIR = data, data / "scratch"
    settings.FILE_UPLOAD_TEMP_DIR = str(data / "uploads")
    media = settings.STORAGES["media"]
    options = media["OPTIONS"] | {"location": str(data / "media")}
    settings.STORAGES = settings.STORAGES | {"media": media | {"OPTIONS": options}}
    yield data
    shutil.rmtree(data)


@pytest.fixture
def source(data: Path) -> Path:
    source = data / "roots" / "source"
    source.write_bytes(BYTES)
    os.chown(source, 65534, 65534)
    return source


def add(source: Path, tenant: str) -> File:
    return store.add(tenant, source, name="a.mp4", origin=Origin.JOB)


def test_it_works(data: Path) -> None:
    with shared_folders.as_owner_of(data / "media"):
        (data / "media" / "made").touch()
        with pytest.raises(PermissionError):
            (data / "roots" / "file").read_text()
        with shared_folders.as_owner_of(data / "media"):
            pass
        (data / "media" / "more").touch()
    assert {path.owner() for path in (data / "media").iterdir()} == {SITE_USER}
    assert (data / "roots" / "file").read_text() == "root's"


def test_who_is_to_die_with_its_parent_still_is(data: Path) -> None:
    """The kernel forgets it with each change of rights: a worker would outlive its slot."""
    libc, told = ctypes.CDLL(None), ctypes.c_int()
    libc.prctl(1, signal.SIGUSR1)
    try:
        with shared_folders.as_owner_of(data / "media"):
            pass
        libc.prctl(2, ctypes.byref(told))
    finally:
        libc.prctl(1, 0)
    assert told.value == signal.SIGUSR1


def test_who_lost_its_parent_meanwhile_dies(data: Path) -> None:
    reading, writing = os.pipe()

    def child() -> None:
        parent = os.getppid()
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        with shared_folders.as_owner_of(data / "media"):
            os.write(writing, b"began")
            os.kill(parent, signal.SIGKILL)
            while os.getppid() == parent:
                time.sleep(0.01)
        os.write(writing, b"alive")

    parent = forked(lambda: exit_status(forked(child)))
    os.close(writing)
    assert exit_status(parent) == -signal.SIGKILL
    with os.fdopen(reading) as told:
        assert told.read() == "began"


def test_another_thread_is_not_concerned(data: Path) -> None:
    read: list[str] = []

    def look() -> None:
        started.wait(10)
        read.append((data / "roots" / "file").read_text())

    started = threading.Event()
    other = threading.Thread(target=look)
    other.start()
    with shared_folders.as_owner_of(data / "media"):
        started.set()
        other.join()
    assert read == ["root's"]


def test_it_ends_with_whatever_is_raised(data: Path) -> None:
    with pytest.raises(LookupError), shared_folders.as_owner_of(data / "media"):
        raise LookupError
    (data / "roots" / "new").touch()
    assert (data / "roots" / "new").owner() == "root"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_of_root_s_own_changes_nothing(data: Path, *, is_there: bool) -> None:
    with shared_folders.as_owner_of(data / ("roots" if is_there else "missing")):
        (data / "roots" / "new").touch()


@pytest.mark.django_db
def test_what_root_stores_is_the_web_servers(data: Path, source: Path) -> None:
    file = add(source, TenantFactory.create().pk)
    stored = data / "media" / file.storage_key
    assert {stored.owner(), *(each.owner() for each in stored.parents[:3])} == {SITE_USER}
    assert stored.read_bytes() == BYTES
    assert not source.exists()
    assert list((data / "uploads").iterdir()) == []
    store.place(file, data / "roots" / "placed")
    assert (data / "roots" / "placed").samefile(stored)
    with store.open_content(file) as content:
        assert content.read() == BYTES
    store.remove(file)
    assert not stored.exists()
    assert list((data / "room").rglob("room_*")) == []


@pytest.mark.django_db
def test_another_disk_is_no_hindrance(
    data: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", fails)
        file = add(source, TenantFactory.create().pk)
    stored = data / "media" / file.storage_key
    assert (stored.owner(), stored.read_bytes()) == (SITE_USER, BYTES)
    assert not source.exists()


@pytest.mark.django_db
def test_a_link_in_the_media_has_root_write_nothing(data: Path, source: Path) -> None:
    tenant = TenantFactory.create().pk
    (data / "media" / tenant).symlink_to(data / "roots")
    before = set((data / "roots").rglob("*"))
    with pytest.raises(PermissionError):
        add(source, tenant)
    assert set((data / "roots").rglob("*")) <= before


@pytest.mark.django_db
def test_a_link_in_the_media_has_root_read_and_delete_nothing(data: Path, source: Path) -> None:
    file = add(source, TenantFactory.create().pk)
    stored = data / "media" / file.storage_key
    stored.unlink()
    stored.parent.rmdir()
    stored.parent.symlink_to(data / "roots")
    (data / "roots" / stored.name).write_text("root's")
    for attempt in (
        lambda: store.place(file, data / "roots" / "placed"),
        lambda: store.open_content(file),
        lambda: store.remove(file),
    ):
        with pytest.raises(PermissionError):
            attempt()
    assert (data / "roots" / stored.name).read_text() == "root's"


def test_a_link_in_the_ledger_has_root_delete_nothing(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = data / "room" / str(data.stat().st_dev)
    ledger.symlink_to(data / "roots")
    with pytest.raises(PermissionError), room.room_on(data / "media") as kept:
        kept.keep(1 << 62)
    assert (data / "roots" / "file").read_text() == "root's"


def test_what_is_no_entry_of_the_ledger_holds_root_up_nowhere(data: Path) -> None:
    ledger = data / "room" / str(data.stat().st_dev)
    (ledger / "folder").mkdir(parents=True)
    os.mkfifo(ledger / "room_pipe")
    os.mkfifo(ledger.with_suffix(".lock"))
    (ledger / "room_loop").symlink_to("room_loop")
    for path in (data / "room", *(data / "room").rglob("*")):
        os.chown(path, USER.pw_uid, USER.pw_gid, follow_symlinks=False)
    told: list[str] = []

    def keep() -> None:
        try:
            with room.room_on(data / "media") as kept:
                kept.keep(1 << 62)
        except room.NoRoom:
            told.append("no room")

    writer = threading.Thread(target=keep, daemon=True)
    writer.start()
    writer.join(20)
    assert told == ["no room"]


@pytest.mark.django_db
def test_a_link_in_the_place_of_a_file_leads_to_no_other(data: Path, source: Path) -> None:
    """Not to one that the web server's user may read either, which another tenant's may be."""
    file = add(source, TenantFactory.create().pk)
    stored = data / "media" / file.storage_key
    stored.rename(data / "media" / "another")
    stored.symlink_to(data / "media" / "another")
    with pytest.raises(OSError, match="symbolic links"):
        store.place(file, data / "roots" / "placed")
    assert not (data / "roots" / "placed").exists()


@pytest.mark.django_db
def test_a_pipe_in_the_place_of_a_file_is_none(data: Path, source: Path) -> None:
    file = add(source, TenantFactory.create().pk)
    stored = data / "media" / file.storage_key
    stored.unlink()
    os.mkfifo(stored, 0o644)
    os.chown(stored, USER.pw_uid, USER.pw_gid)
    with pytest.raises(store.Gone):
        store.place(file, data / "roots" / "placed")


def test_the_selftests_canary_changes_no_mode_but_its_own(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it is made where the web server's user can put a link in its place at once."""
    secret = data / "roots" / "file"
    secret.chmod(0o600)
    (data / "media" / ".canary-taken").symlink_to(secret)
    monkeypatch.setattr(canaries, "token_hex", lambda _: "taken")
    with canaries.canaries_up([Private("media", data / "media")]):
        pass
    assert (secret.stat().st_mode & 0o777, secret.read_text()) == (0o600, "root's")


@pytest.mark.parametrize("name", ["../job", "link/job", "{data}/job"])
def test_a_job_called_like_a_path_has_no_folder(data: Path, name: str) -> None:
    """Of a row that the web server's user wrote: root would make and remove folders anywhere."""
    (data / "scratch").mkdir()
    (data / "scratch" / "link").symlink_to(data / "roots")
    named = scratch.of_attempt(Job(id=name.format(data=data / "roots"), attempt=1))
    before = set(data.rglob("*"))
    with pytest.raises(ValueError, match="scratch folder"), scratch.folder(named):
        assert set(data.rglob("*")) == before
    assert set(data.rglob("*")) == before


def test_what_is_no_folder_holds_up_no_sweep(data: Path) -> None:
    (data / "scratch").mkdir()
    os.mkfifo(data / "scratch" / "probe.fifo")
    (data / "scratch" / "probe.link").symlink_to(data / "roots")
    (data / "scratch" / "probe.loop").symlink_to("probe.loop")
    (data / "scratch" / "probe.nothing").symlink_to("nothing")
    for path in (data / "scratch").iterdir():
        os.utime(path, (0, 0), follow_symlinks=False)
    os.utime(data / "roots", (0, 0))
    assert scratch.sweep_passing() == 4
    assert list((data / "scratch").iterdir()) == []
    assert (data / "roots" / "file").exists()
