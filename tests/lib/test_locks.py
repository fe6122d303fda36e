"""Lock files are their owner's alone, and nobody waits for one for ever."""

from __future__ import annotations

import ast
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from ffapi_site.database import embedded
from ffapi_site.lib import locks
from ffapi_site.lib.room import room_on
from ffapi_site.serving import site
from media_jobs.slot import number

ROOT = Path(__file__).parents[2]

# What else locks, and why it need not be a lock file.
ELSEWHERE = {
    "ffapi_site/lib/room.py": "an entry that it has just made",
    "media_jobs/host/scratch.py": "a private folder that it has just made, or for a moment",
    "media_jobs/sandbox/escape_probe.py": "an attempt, which is refused",
}


@pytest.fixture(autouse=True)
def _all_may_read_what_is_made() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_works(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    with (
        locks.held(lock, within_s=0),
        pytest.raises(TimeoutError, match=r"a\.lock"),
        locks.held(lock, within_s=0.05),
    ):
        pass
    with locks.held(lock, within_s=0):
        assert mode(lock) == 0o600


def test_one_that_all_could_read_is_closed(tmp_path: Path) -> None:
    lock = tmp_path / "old.lock"
    lock.touch(0o666)
    with locks.held(lock, within_s=0):
        assert mode(lock) == 0o600


def test_one_that_root_makes_is_the_folder_s_owner_s(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("needs root")
    os.chown(tmp_path, 65534, 65534)
    with locks.held(tmp_path / "a.lock", within_s=0):
        assert (tmp_path / "a.lock").owner() == tmp_path.owner()


def test_every_lock_of_the_site_is_closed_to_others(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "uploads").mkdir()
    number.take("cpu")
    with (
        site._data_folder_to_ourselves(),
        embedded.kept(tmp_path / "postgres"),
        embedded._one_at_a_time(tmp_path / "postgres"),
        room_on(tmp_path / "uploads") as room,
    ):
        room.keep(1)
        found = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(found) == 6
        assert {mode(path) for path in found} == {0o600}
    assert mode(tmp_path / "room") == 0o700


def test_who_waits_for_the_database_s_turn_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_TURN_WITHIN_S", 0.05)
    with (
        locks.held(tmp_path / "postgres.lock", within_s=0),
        pytest.raises(embedded.NotReady, match="another process has held"),
    ):
        embedded.start(tmp_path / "postgres")


def test_who_waits_to_see_to_the_database_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_KEPT_WITHIN_S", 0.05)
    folder = tmp_path / "postgres"
    with (
        embedded.kept(folder),
        pytest.raises(embedded.NotReady, match=r"postgres\.kept"),
        embedded.kept(folder),
    ):
        pass


def test_nothing_else_locks_files() -> None:
    """A new lock is one of `locks`, or stands above with its reason."""
    packages = ("ffapi_site", "media_jobs", "storage", "accounts")
    sources = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    locking = {str(path.relative_to(ROOT)) for path in sources if _locks(path)}
    assert locking == {"ffapi_site/lib/locks.py", *ELSEWHERE}


def _locks(path: Path) -> bool:
    calls = {"flock", "lockf"}
    walked = ast.walk(ast.parse(path.read_text()))
    return any(isinstance(node, ast.Attribute) and node.attr in calls for node in walked)
