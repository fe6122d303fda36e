"""R31: folders that somebody else filled are removed and measured, whatever is in them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ffapi_site.lib import trees

_NOBODY = 12345


def make_deep(folder: Path, levels: int, name: str = "d") -> None:
    """Folders within folders, which no path is long enough for."""
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("last", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.write(file := os.open("last", os.O_WRONLY, dir_fd=here), bytes(1000))
    os.close(file)
    os.close(here)


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_it_works(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    for name in ("a/one", "a/b/two", "a/b/c/three"):
        (tmp_path / name).write_bytes(bytes(100))
    assert trees.used_bytes(tmp_path / "a") == 300
    assert trees.remove(tmp_path / "a") == ""
    assert not (tmp_path / "a").exists()
    assert trees.remove(tmp_path / "a") == ""
    assert trees.used_bytes(tmp_path / "a") == 0


@pytest.mark.parametrize(("levels", "name"), [(1200, "d"), (100, "n" * 255)])
def test_a_folder_may_be_deep(tmp_path: Path, levels: int, name: str) -> None:
    make_deep(tmp_path / "deep", levels, name)
    open_before = _open_descriptors()
    assert trees.used_bytes(tmp_path / "deep") == 1000
    assert trees.remove(tmp_path / "deep") == ""
    assert not (tmp_path / "deep").exists()
    assert _open_descriptors() == open_before


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("stays")
    job = tmp_path / "job"
    (job / "out").mkdir(parents=True)
    (job / "out" / "folder").symlink_to(kept)
    (job / "out" / "file").symlink_to(kept / "file")
    (job / "hard").hardlink_to(kept / "file")
    assert trees.used_bytes(job) == len(str(kept)) + len(str(kept / "file"))
    assert trees.remove(job) == ""
    assert (kept / "file").read_text() == "stays"
    (tmp_path / "link").symlink_to(kept)
    assert trees.used_bytes(tmp_path / "link") == 0
    assert trees.remove(tmp_path / "link") == ""
    assert kept.exists()


@pytest.fixture
def immutable(tmp_path: Path) -> Iterator[Path]:
    """A file that not even root can remove."""
    file = tmp_path / "job" / "out" / "stuck"
    file.parent.mkdir(parents=True)
    file.write_text("")
    if subprocess.run(["chattr", "+i", file], check=False, capture_output=True).returncode:
        pytest.skip("no file can be made immutable here")
    yield file
    for path in tmp_path.rglob("stuck"):
        subprocess.run(["chattr", "-i", path], check=True)


def test_what_can_t_go_stays_and_all_else_goes(tmp_path: Path, immutable: Path) -> None:
    for number in range(5):
        (tmp_path / "job" / f"{number}" / "deeper").mkdir(parents=True)
        (tmp_path / "job" / f"{number}" / "deeper" / "file").write_text("")
    assert "PermissionError" in trees.remove(tmp_path / "job")
    left = [path for path in (tmp_path / "job").rglob("*") if path.is_file()]
    assert [path.name for path in left] == [immutable.name]
    subprocess.run(["chattr", "-i", left[0]], check=True)
    assert trees.remove(tmp_path / "job") == ""


def test_there_is_an_end_to_it(tmp_path: Path) -> None:
    make_deep(tmp_path / "deep", 100)
    assert "too much" in trees.remove(tmp_path / "deep", within_s=-1)
    assert trees.remove(tmp_path / "deep") == ""


@pytest.fixture
def not_root(tmp_path: Path) -> Iterator[Path]:
    """A folder of somebody who may not do all things; root becomes that for the test."""
    home = tmp_path / "home"
    home.mkdir()
    if os.getuid() != 0:
        yield home
        return
    os.chown(home, _NOBODY, _NOBODY)
    for above in home.parents:
        if "pytest-" in str(above):
            above.chmod(above.stat().st_mode | 0o111)
    os.seteuid(_NOBODY)
    try:
        yield home
    finally:
        os.seteuid(0)


def test_folders_without_rights_go_without_root(not_root: Path) -> None:
    """What `mkdir` with the mode 0 leaves behind."""
    inner = not_root / "job" / "out" / "shut" / "inner"
    inner.mkdir(parents=True)
    (inner.parent / "file").write_text("")
    for folder in (inner, inner.parent, inner.parent.parent):
        folder.chmod(0)
    assert trees.used_bytes(not_root / "job") == 0
    assert trees.remove(not_root / "job") == ""
    assert not (not_root / "job").exists()


def test_many_files_take_little_memory_and_time(tmp_path: Path) -> None:
    wide = tmp_path / "wide"
    wide.mkdir()
    for number in range(1000):
        (wide / f"{number}").touch()
    began = time.monotonic()
    assert trees.remove(wide) == ""
    assert time.monotonic() - began < 20
