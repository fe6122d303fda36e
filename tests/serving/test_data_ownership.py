"""Where root takes a data folder back, who had taken over its web server keeps no way in."""

from __future__ import annotations

import os
import pwd
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from pytest_django import Settings

from ffapi_site.database import embedded
from ffapi_site.lib.system_user import SITE_USER, system_user
from ffapi_site.serving import data_ownership
from tests.harness.processes import become_user, exit_status, forked

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a folder back")

FOLDERS = ("audit", "logs", "secrets", "slots", "static")
FILES = ("supervisord.conf", "logs/web.log", "secrets/secret_key", "audit/checkpoints.jsonl")
EVIL = b"evil"


@pytest.fixture
def user() -> pwd.struct_passwd:
    return system_user(SITE_USER)


@pytest.fixture
def data(folder: Path, settings: Settings, user: pwd.struct_passwd) -> Path:
    """Of a site that the web server's user has served alone."""
    settings.DATA_DIR, settings.SCRATCH_DIR = folder, folder / "scratch"
    settings.STATIC_ROOT = folder / "static"
    settings.AUDIT_CHECKPOINT_DIR = str(folder / "audit")
    settings.AUDIT_SIGNING_KEY_FILE = str(folder / "secrets" / "audit_signing_key.pem")
    folder.chmod(0o755)
    for name in FOLDERS:
        (folder / name).mkdir(mode=0o700)
    for name in FILES:
        (folder / name).write_text("content")
    given(folder)
    return folder


def given(folder: Path) -> None:
    subprocess.run(["chown", "-hR", f"{SITE_USER}:", folder], check=True)


def as_user(user: pwd.struct_passwd, action: Callable[[], object]) -> bool:
    """Whether that user may do it."""

    def attempt() -> None:
        become_user(user.pw_name)
        action()

    return exit_status(forked(attempt)) == 0


def writable(data: Path, user: pwd.struct_passwd) -> Iterator[str]:
    """What the user may change of what root's programs trust."""
    for place in (data, *(data / name for name in FOLDERS)):
        if place.exists() and as_user(user, lambda at=place: (at / "new").touch()):  # type: ignore[misc]
            yield str(place)
    for path in (path for path in data.rglob("*") if path.is_file()):
        if as_user(user, lambda at=path: at.open("ab").close()):  # type: ignore[misc]
            yield str(path)


def test_modes_that_let_all_write_are_closed(data: Path, user: pwd.struct_passwd) -> None:
    subprocess.run(["chmod", "-R", "a+rwX", data], check=True)
    data_ownership.take_back()
    assert list(writable(data, user)) == []


def test_access_lists_are_removed(data: Path, user: pwd.struct_passwd) -> None:
    entries = ((1, 7, -1), (2, 7, user.pw_uid), (4, 5, -1), (16, 7, -1), (32, 5, -1))
    listed = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *each) for each in entries)
    try:
        for place in (data, *(data / name for name in FOLDERS)):
            os.setxattr(place, "system.posix_acl_access", listed)
            os.setxattr(place, "system.posix_acl_default", listed)
    except OSError as error:
        pytest.skip(f"no access lists here: {error}")
    data_ownership.take_back()
    (data / "supervisord.conf").write_text("root's")
    (data / "logs" / "new.log").touch()
    assert list(writable(data, user)) == []


def test_what_is_open_is_not_what_root_reads(data: Path) -> None:
    opened = [(data / name).open("r+b") for name in FILES]
    data_ownership.take_back()
    (data / "supervisord.conf").write_text("root's")
    for each in opened:
        each.write(EVIL)
        each.close()
    assert [name for name in FILES if (data / name).read_bytes().startswith(EVIL)] == []
    assert (data / "secrets" / "secret_key").read_text() == "content"


def test_it_is_taken_up_again_where_it_was_broken_off(data: Path) -> None:
    for name in (".", "audit", "logs", "secrets"):
        os.chown(data / name, 0, 0)
    data_ownership.take_back()
    assert {(data / name).owner() for name in FILES if (data / name).exists()} == {"root"}


def test_what_no_site_makes_stops_the_start(data: Path, user: pwd.struct_passwd) -> None:
    deep = data / "logs" / "/".join("d" * 100)
    deep.mkdir(parents=True)
    given(data / "logs")
    with pytest.raises(data_ownership.NotTaken, match="too deep"):
        data_ownership.take_back()


@pytest.mark.parametrize(
    "setting", ["STATIC_ROOT", "AUDIT_CHECKPOINT_DIR", "AUDIT_SIGNING_KEY_FILE", "AUDIT_LOG_FILE"]
)
def test_a_folder_elsewhere_that_it_may_change_stops_the_start(
    data: Path, settings: Settings, setting: str
) -> None:
    """Else root would follow its links there, and collectstatic empty what they lead to."""
    place = data / "own"
    place.mkdir()
    given(place)
    setattr(settings, setting, str(place / "below"))
    with pytest.raises(data_ownership.NotTaken, match=f"{place}.*{setting}"):
        data_ownership.take_back()
    os.chown(place, 0, 0)
    data_ownership.take_back()


@pytest.mark.slow
def test_a_server_that_runs_as_that_user_is_ended(data: Path, user: pwd.struct_passwd) -> None:
    """Its user would else be the tables' owner."""
    folder = data / "postgres"
    embedded.start(folder)
    embedded.stop(folder)
    given(data)
    embedded.start(folder)
    try:
        assert folder.owner() == SITE_USER
        data_ownership.take_back()
        assert not embedded.is_running(folder)
        assert folder.owner() == (folder / "PG_VERSION").owner() == "pgserver"
        with psycopg.connect(
            host=embedded.start(folder), user="postgres", dbname="postgres"
        ) as server:
            assert server.execute("SELECT 1").fetchone() == (1,)
    finally:
        embedded.stop(folder)


@pytest.mark.slow
def test_links_in_the_databases_folder_lead_root_nowhere(
    data: Path, user: pwd.struct_passwd
) -> None:
    folder, victim = data / "postgres", data.parent / f"{data.name}.victim"
    embedded.start(folder)
    embedded.stop(folder)
    victim.write_text("root's")
    (folder / "pg_hba.conf").write_text("another")
    (folder / "pg_hba.new").symlink_to(victim)
    given(data)
    try:
        data_ownership.take_back()
        embedded.start(folder)
        assert (victim.read_text(), victim.owner()) == ("root's", "root")
    finally:
        embedded.stop(folder)
        victim.unlink()
