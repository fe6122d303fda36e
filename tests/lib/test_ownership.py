"""What changes hands is followed by no link, and can be taken up again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ffapi_site.lib import ownership

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")

THEIRS = 65534


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "media").mkdir()
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots" / "file").write_text("root's")
    return tmp_path


def whose(top: Path) -> set[int]:
    return {path.lstat().st_uid for path in (top, *top.rglob("*"))}


def test_handing_over_follows_no_link_and_ends_with_the_top(folder: Path) -> None:
    outside = folder / "roots" / "file"
    (folder / "media" / "below").mkdir()
    (folder / "media" / "below" / "file").touch()
    (folder / "media" / "link").symlink_to(outside)
    (folder / "media" / "folder").symlink_to(folder / "roots")
    ownership.hand_over(folder / "media", 65534, 65534)
    found = [folder / "media", *(folder / "media").rglob("*")]
    assert {path.lstat().st_uid for path in found} == {65534}
    assert {outside.owner(), outside.parent.owner()} == {"root"}


def test_handing_over_that_is_broken_off_can_be_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "roots" / "below").mkdir()

    def breaks(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "chown", breaks)
    with pytest.raises(KeyboardInterrupt):
        ownership.hand_over(folder / "roots", 65534, 65534)
    assert (folder / "roots").owner() == "root"


def test_what_is_passed_on_is_closed_meanwhile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media, seen = folder / "media", []
    (media / "below").mkdir()
    (media / "below" / "link").symlink_to(folder / "roots")
    media.chmod(0o777)
    ownership.hand_over(media, THEIRS, THEIRS)
    real = os.chown

    def looks(path: str, *rest: int, **more: object) -> None:
        seen.append((media.stat().st_uid, media.stat().st_mode & 0o777))
        real(path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "chown", looks)
    ownership.pass_on(media, 1, 1)
    assert set(seen) == {(0, 0o700)}
    assert whose(media) == {1}
    assert (folder / "roots").owner() == "root"


def test_what_another_has_in_a_folder_is_left(folder: Path) -> None:
    (folder / "media" / "file").touch()
    os.chown(folder / "media" / "file", 1, 1)
    ownership.reclaim(folder / "media", THEIRS)
    assert (folder / "media" / "file").stat().st_uid == 1


def test_what_can_hold_root_up_is_removed(folder: Path) -> None:
    media = folder / "media"
    os.mkfifo(media / "pipe")
    (media / "link").symlink_to(folder / "roots")
    (media / "file").write_text("content")
    ownership.hand_over(media, THEIRS, THEIRS)
    ownership.reclaim(media, THEIRS)
    assert {path.name for path in media.iterdir()} == {"file"}
    assert whose(media) == {0}


def test_a_file_of_endless_length_is_refused(folder: Path) -> None:
    os.truncate(folder / "roots" / "file", 2 << 30)
    os.chown(folder / "roots" / "file", THEIRS, THEIRS)
    with pytest.raises(OSError, match="too large"):
        ownership.reclaim(folder / "roots", THEIRS)
