"""R5: the program that keeps the embedded server running, by itself."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import psutil
import pytest
from django.conf import settings

from ffapi_site.database import embedded
from tests.serving.server import ROOT, environment, eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(mkdtemp(prefix="kept-", dir=settings.DATA_DIR)) / "postgres"


@pytest.fixture
def keeper(folder: Path) -> Iterator[subprocess.Popen[str]]:
    program = subprocess.Popen(
        [sys.executable, "-m", "ffapi_site.serving.database"],
        cwd=ROOT,
        env=environment(folder.parent, 1),
        stderr=subprocess.PIPE,
        text=True,
    )
    with program:
        assert eventually(lambda: embedded.is_running(folder), within_s=60)
        yield program
        program.terminate()
        assert program.wait(60) == 0
    assert not embedded.is_running(folder)


def _postmaster(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))


def test_it_works(keeper: subprocess.Popen[str], folder: Path) -> None:
    dead = _postmaster(folder)
    dead.kill()
    dead.wait(20)
    assert eventually(lambda: embedded.is_running(folder), within_s=20)


def test_what_does_not_start_is_tried_until_it_does(
    keeper: subprocess.Popen[str], folder: Path
) -> None:
    """At growing intervals: what is missing comes back after a while, as room on a disk does."""
    aside = folder / "global.aside"
    (folder / "global").rename(aside)
    _postmaster(folder).kill()
    time.sleep(6)
    aside.rename(folder / "global")
    assert eventually(lambda: embedded.is_running(folder), within_s=20)
    keeper.terminate()
    _, told = keeper.communicate(timeout=60)
    assert 2 <= told.count("The database can't be kept running") <= 8
