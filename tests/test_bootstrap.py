from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    _fill(tmp_path)
    return tmp_path


def _fill(folder: Path) -> None:
    """Make it a clone that needs no package, so that only the bootstrap is tried."""
    shutil.copy(ROOT / "bootstrap.py", folder)
    (folder / "requirements.txt").write_text("# none\n")
    (folder / "requirements-oidc.txt").write_text("-r requirements.txt\n")
    (folder / "requirements-dev.txt").write_text("-r requirements-oidc.txt\n")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose packages are installed, to be copied."""
    place = tmp_path_factory.mktemp("made")
    _fill(place)
    _told(_start(place))
    return place


@pytest.fixture
def made_clone(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "clone", symlinks=True)


def _start(clone: Path, kind: str = "runtime", path: str | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "bootstrap.py", kind],
        cwd=clone,
        env=os.environ | {"PATH": path or os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _told(process: subprocess.Popen[str], status: int = 0) -> str:
    told, _ = process.communicate(timeout=120)
    assert process.returncode == status, told
    return told


def test_it_works(clone: Path) -> None:
    assert _told(_start(clone)).splitlines() == [
        "Making .venv",
        "Installing requirements.txt into .venv",
    ]
    assert (clone / ".venv/bin/python").exists()
    assert _told(_start(clone)) == ""


def test_other_requirements_are_installed(made_clone: Path) -> None:
    (made_clone / "requirements.txt").write_text("# still none\n")
    assert _told(_start(made_clone)) == "Installing requirements.txt into .venv\n"


def test_development_includes_what_is_needed_to_run(made_clone: Path) -> None:
    for stamp in (made_clone / ".venv").glob("installed-*"):
        stamp.unlink()
    assert "Installing requirements-dev.txt" in _told(_start(made_clone, "development"))
    assert _told(_start(made_clone)) == ""


def test_two_at_a_time_wait_for_each_other(clone: Path) -> None:
    both = [_start(clone), _start(clone)]
    assert sorted(_told(each).count("Making .venv") for each in both) == [0, 1]


def test_one_who_locks_the_sources_is_not_waited_for_for_ever(made_clone: Path) -> None:
    """Whoever can read them can lock them."""
    clone = made_clone
    stranger = os.open(clone, os.O_RDONLY)
    fcntl.flock(stranger, fcntl.LOCK_EX)
    assert _told(_start(clone)) == ""
    (clone / "requirements.txt").write_text("# still none\n")
    code = "import bootstrap; bootstrap.TURN_WITHIN_S = 0.1; bootstrap.main('runtime')"
    words = [sys.executable, "-c", code]
    waiting = subprocess.run(words, cwd=clone, capture_output=True, text=True, check=False)
    os.close(stranger)
    assert waiting.returncode == 1
    assert "Another process has locked" in waiting.stderr


def test_without_apt_the_missing_packages_are_named(clone: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    told = _told(_start(clone, "development", path=str(empty)), status=1)
    assert "sudo apt-get install ffmpeg" in told
    assert not (clone / ".venv").exists()


def test_an_unknown_kind_is_refused(clone: Path) -> None:
    assert "usage" in _told(_start(clone, "everything"), status=1)
