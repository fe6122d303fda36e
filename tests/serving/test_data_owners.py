"""Whose the data folder's parts are, as a start by root finds and leaves them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from pytest_django import Settings

from ffapi_site.lib.system_user import SITE_USER, system_user
from ffapi_site.serving import data_ownership, web_user

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")


@pytest.fixture
def data(folder: Path, settings: Settings) -> Path:
    """Of a site that has run, with something of its administrator's in it."""
    settings.DATA_DIR, settings.SCRATCH_DIR = folder, folder / "scratch"
    for name in ("media/one", "uploads", "room/1", "scratch/job_1.1/out", "logs", "secrets", "own"):
        (folder / name).mkdir(parents=True, mode=0o700)
    for name in ("media/one/file", "logs/web.log", "secrets/secret_key", "own/file"):
        (folder / name).write_text("content")
    (folder / "secrets" / "audit_signing_key.pem").touch(mode=0o600)
    return folder


def owner(path: Path) -> str:
    return Path(path).owner()


def given_to_site_user(data: Path) -> None:
    subprocess.run(["chown", "-hR", f"{SITE_USER}:", data], check=True)


def test_what_was_root_s_is_shared(data: Path) -> None:
    user = system_user(SITE_USER)
    data_ownership.take_back()
    web_user._share(user)
    for name in ("media", "media/one/file", "uploads", "room/1"):
        assert owner(data / name) == SITE_USER, name
    for name in (".", "scratch", "logs", "secrets", "own/file"):
        assert owner(data / name) == "root", name
    assert (data / "scratch").stat().st_mode & 0o7777 == 0o1770


def test_an_interrupted_change_of_owner_is_taken_up_again(data: Path) -> None:
    user = system_user(SITE_USER)
    os.chown(data / "media" / "one", user.pw_uid, user.pw_gid)
    web_user._share(user)
    assert owner(data / "media" / "one" / "file") == SITE_USER


def test_secrets_are_read_but_for_the_sealers(data: Path, settings: Settings) -> None:
    settings.STATIC_ROOT = data / "logs"
    web_user._let_read(system_user(SITE_USER))
    secrets = data / "secrets"
    seen = {path.name: (path.group(), path.stat().st_mode & 0o777) for path in secrets.iterdir()}
    assert seen == {
        "secret_key": (SITE_USER, 0o640),
        "audit_signing_key.pem": ("root", 0o600),
    }
    assert (secrets.group(), secrets.stat().st_mode & 0o777) == (SITE_USER, 0o710)


def test_what_its_user_served_alone_is_root_s_again(data: Path) -> None:
    (data / "logs" / "link").symlink_to("/etc")
    given_to_site_user(data)
    data_ownership.take_back()
    for name in (".", "logs", "logs/web.log", "secrets/secret_key"):
        assert owner(data / name) == "root", name
    for name in ("media/one/file", "uploads", "room/1", "own", "own/file"):
        assert owner(data / name) == SITE_USER, name
    assert not (data / "logs" / "link").is_symlink()
    assert list((data / "scratch").rglob("*")) == []
    web_user._share(system_user(SITE_USER))
    assert owner(data / "scratch") == "root"


def test_the_database_has_a_user_of_its_own_again(data: Path) -> None:
    (data / "postgres").mkdir()
    (data / "postgres" / "PG_VERSION").write_text("18")
    (data / "postgres.socket").mkdir()
    given_to_site_user(data)
    data_ownership.take_back()
    assert owner(data / "postgres" / "PG_VERSION") == owner(data / "postgres") == "pgserver"
    assert not (data / "postgres.socket").exists()


def test_anothers_folder_is_left_as_it_is(data: Path) -> None:
    os.chown(data / "media", 65534, 65534)
    with pytest.raises(web_user.NotUsable, match=r"media is neither root's nor ffapi's"):
        web_user._share(system_user(SITE_USER))
    os.chown(data, 65534, 65534)
    with pytest.raises(web_user.NotUsable, match="is neither root's nor"):
        web_user.made_ready()
    data_ownership.take_back()
    assert (data.stat().st_uid, (data / "media").stat().st_uid) == (65534, 65534)


def test_links_of_its_user_stop_the_start(data: Path) -> None:
    (data / "slots").symlink_to("/etc")
    given_to_site_user(data)
    with pytest.raises(data_ownership.NotTaken, match=r"chown -h root: .*/slots"):
        data_ownership.take_back()
    assert owner(Path("/etc")) == "root"
    os.chown(data / "slots", 0, 0, follow_symlinks=False)
    data_ownership.take_back()
