"""No job is taken where FFmpeg could read what the installation keeps, wherever that lies."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from media_jobs import sandbox
from media_jobs.host import private_paths, sandbox_check
from media_jobs.sandbox import allowed_paths
from media_jobs.sandbox.allowed_paths import Private
from tests.harness.programs import FFMPEG_PATH
from tests.worker.container import ROOT, needs_root, selftest

UID = 12345
READABLE = "/usr/local/share/fonts"


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Private]]:
    kept: list[Private] = []
    monkeypatch.setattr(allowed_paths, "kept", lambda: kept)
    allowed_paths.look_again()
    yield kept
    allowed_paths.look_again()


def test_it_works() -> None:
    names = {private.name for private in private_paths.named()}
    assert {"site", "data", "media", "scratch", "uploads", "secrets", "database", "env"} <= names
    assert allowed_paths.exposed() == ()


@pytest.mark.parametrize(
    "place",
    ["/usr/lib/ffapi/var", "/lib/ffapi", "/usr/local/lib/ffapi/var", f"{READABLE}/of/ours"],
)
def test_what_lies_below_a_readable_folder(place: str, keep: list[Private]) -> None:
    keep.append(Private("media", Path(place)))
    assert place in allowed_paths.exposed()[0]


@pytest.mark.parametrize("place", ["/usr/local/src/ffapi", "/usr/src/x", "/opt/ffapi", "/srv/x"])
def test_what_lies_where_ffmpeg_sees_nothing(place: str, keep: list[Private]) -> None:
    keep.append(Private("media", Path(place)))
    assert allowed_paths.exposed() == ()


def test_what_lies_in_a_folder_of_libraries(
    keep: list[Private], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the machine's loader was told to look for them."""
    monkeypatch.setattr(allowed_paths, "_library_folders", lambda: (str(tmp_path),))
    keep.append(Private("media", tmp_path / "media"))
    assert str(tmp_path) in allowed_paths.exposed()[0]


def test_fonts_above_the_data(
    keep: list[Private], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep.append(Private("data", tmp_path / "data", holds_others=True))
    monkeypatch.setenv("FFAPI_FONTS_DIR", str(tmp_path))
    assert "the data" in allowed_paths.exposed()[0]


def test_fonts_that_are_a_link_into_the_data(
    keep: list[Private], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "media" / "a").mkdir(parents=True)
    (tmp_path / "fonts").symlink_to(tmp_path / "media" / "a")
    keep += [Private("data", tmp_path, holds_others=True), Private("media", tmp_path / "media")]
    monkeypatch.setenv("FFAPI_FONTS_DIR", str(tmp_path / "fonts"))
    assert [told.split(" (")[0] for told in allowed_paths.exposed()] == ["the media"]


def test_fonts_in_a_folder_of_their_own_in_the_data(
    keep: list[Private], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep += [Private("data", tmp_path, holds_others=True), Private("media", tmp_path / "media")]
    monkeypatch.setenv("FFAPI_FONTS_DIR", str(tmp_path / "fonts"))
    assert allowed_paths.exposed() == ()


def test_a_secret_that_a_file_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY_PEPPER_FILE", "/usr/lib/ffapi/pepper")
    assert "the api_key_pepper (/usr/lib/ffapi/pepper)" in allowed_paths.exposed()[0]


def test_nothing_is_started_there(keep: list[Private], tmp_path: Path) -> None:
    keep.append(Private("media", Path("/usr/lib/ffapi")))
    sandbox.prepare(tmp_path / "job")
    limits = sandbox.Limits(wall_s=20)
    with pytest.raises(sandbox.SandboxUnavailable, match="/usr/lib/ffapi"):
        sandbox.start(FFMPEG_PATH, ["-version"], folder=tmp_path / "job", limits=limits)
    checked = sandbox_check.check()
    assert (checked.report.allowed, checked.report.level) == (False, "none")
    assert "/usr/lib/ffapi" in checked.reason


@pytest.mark.django_db  # the database has its folder then
def test_the_selftest_tries_the_real_folders() -> None:
    settings.MEDIA_ROOT.mkdir(exist_ok=True, mode=0o700)
    tried = {probe.name for probe in sandbox_check.check().probes}
    for folder in ("media", "scratch", "uploads", "secrets", "database", "other_job"):
        assert {f"read_{folder}", f"list_{folder}", f"write_{folder}"} <= tried
    assert {"read_site", "list_site"} <= tried
    assert not list(settings.MEDIA_ROOT.glob(".canary-*"))


def test_the_documents_give_the_number_of_attempts() -> None:
    names = {private.name for private in private_paths.named()} | {"other_job"}
    tried = [probe.name for probe in sandbox_check.check().probes]
    fixed = [name for name in tried if name.partition("_")[2] not in names]
    assert f"{len(fixed)} attempts" in (ROOT / "docs" / "security.md").read_text()


@pytest.fixture
def sources() -> Iterator[Path]:
    """Where an administrator would unpack FFAPI, for a user of its own to run it."""
    home = Path("/usr/local/src") / f"ffapi-{os.getpid()}"
    home.mkdir(mode=0o755, parents=True)
    shutil.chown(home, UID, UID)
    yield home
    shutil.rmtree(home)


def _made(data: Path, *folders: str) -> None:
    for name in folders:
        (data / name).mkdir(parents=True)
        (data / name / "file").write_text("private")
        shutil.chown(data / name, UID, UID)
    shutil.chown(data, UID, UID)


@needs_root
def test_data_below_usr_hold_where_the_slot_is_not_root(sources: Path) -> None:
    _made(sources / "var", "media", "postgres", "secrets")
    facts = selftest(sources / "var", UID)
    assert (facts["allowed"], facts["leaks"]) == (True, [])
    for folder in ("media", "secrets", "database"):
        assert facts["probes"][f"read_{folder}"]


@needs_root
def test_a_key_that_the_slot_may_not_look_for(sources: Path) -> None:
    """The sealer is another user, in whose folder it is."""
    _made(sources / "var", "media")
    (sources / "sealer").mkdir(mode=0o700)
    (sources / "sealer" / "key.pem").write_text("private")
    key = str(sources / "sealer" / "key.pem")
    facts = selftest(sources / "var", UID, AUDIT_SIGNING_KEY_FILE=key)
    assert (facts["allowed"], facts["leaks"]) == (True, [])


@needs_root
def test_the_selftest_sees_data_that_are_readable(sources: Path) -> None:
    """What it would have found: an override starts FFmpeg though the fonts are above the data."""
    _made(sources / "var", "media", "postgres", "secrets")
    fonts = str(sources)
    facts = selftest(sources / "var", UID, FFAPI_FONTS_DIR=fonts, ALLOW_DEGRADED_SANDBOX="1")
    leaks = set(facts["leaks"])
    for folder in ("media", "secrets", "database", "scratch"):
        assert {f"read_{folder}", f"list_{folder}"} <= leaks
    assert facts["level"] == "none"
    assert not selftest(sources / "var", UID, FFAPI_FONTS_DIR=fonts)["allowed"]
