"""R5: the program that keeps the embedded server running, by itself."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import psutil
import psycopg
import pytest
from django.conf import settings

from ffapi_site.database import embedded
from tests.harness.disks import small_disk
from tests.harness.processes import is_dead, kill
from tests.harness.server import ROOT, environment, eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(mkdtemp(prefix="kept-", dir=settings.DATA_DIR)) / "postgres"


@pytest.fixture
def keeper(folder: Path) -> Iterator[subprocess.Popen[str]]:
    with _kept(folder) as program:
        yield program


@contextmanager
def _kept(folder: Path) -> Iterator[subprocess.Popen[str]]:
    program = subprocess.Popen(
        [sys.executable, "-m", "ffapi_site.serving.database"],
        cwd=ROOT,
        env=environment(folder.parent, 1),
        stderr=subprocess.PIPE,
        text=True,
    )
    with program:
        assert eventually(lambda: embedded.is_running(folder), within_s=60)
        try:
            yield program
        finally:
            program.terminate()
        assert program.wait(60) == 0
    assert not embedded.is_running(folder)


def _postmaster(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))


def test_it_works(keeper: subprocess.Popen[str], folder: Path) -> None:
    kill(_postmaster(folder))
    assert eventually(lambda: embedded.is_running(folder), within_s=60)


def test_after_the_crash_of_a_backend_it_is_another_server(
    keeper: subprocess.Popen[str], folder: Path
) -> None:
    """PostgreSQL ends, as it is told to, and does not try to come back by itself."""
    before = _postmaster(folder)
    with _connect(embedded.start(folder)) as one:
        kill(psutil.Process(one.info.backend_pid))
        one.close()
    assert eventually(lambda: is_dead(before), within_s=20)
    assert eventually(lambda: embedded.is_running(folder), within_s=60)


def test_what_does_not_start_is_tried_until_it_does(
    keeper: subprocess.Popen[str], folder: Path
) -> None:
    """At growing intervals: what is missing comes back after a while, as room on a disk does."""
    aside = folder / "global.aside"
    (folder / "global").rename(aside)
    _postmaster(folder).kill()
    time.sleep(4)
    aside.rename(folder / "global")
    assert eventually(lambda: embedded.is_running(folder), within_s=60)
    keeper.terminate()
    _, told = keeper.communicate(timeout=60)
    assert 2 <= told.count("The database can't be kept running") <= 8


def test_after_a_panic_on_a_full_disk_it_is_back_once_there_is_room() -> None:
    with small_disk(Path(settings.DATA_DIR) / "small", 150 << 20) as disk:
        folder = disk / "data" / "postgres"
        folder.parent.mkdir()
        with _kept(folder):
            place = embedded.start(folder)
            with _connect(place) as owner:
                owner.execute("CREATE TABLE filling AS SELECT 1 AS i")
                filler = disk / "filler"
                _fill(filler)
                _write_until_it_panics(owner)
            assert eventually(lambda: not embedded.is_running(folder), within_s=60)
            assert "PANIC" in (folder / "log").read_text()
            filler.unlink()
            assert eventually(lambda: embedded.is_running(folder), within_s=30)
            with _connect(embedded.start(folder)) as owner:
                owner.execute("INSERT INTO filling VALUES (1)")


def _connect(place: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=place, user="postgres", dbname="postgres", autocommit=True)


def _write_until_it_panics(owner: psycopg.Connection[tuple[object, ...]]) -> None:
    """A table that can't grow is an error; it ends where the log of what is written can't."""
    while not owner.closed:
        with suppress(psycopg.Error):
            owner.execute("UPDATE filling SET i = i + 1")
            owner.execute("SELECT pg_switch_wal()")


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(1 << 16))
        except OSError:
            return
