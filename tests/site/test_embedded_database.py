"""R5: the embedded server starts again after whatever ended it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import psutil
import psycopg
import pytest
from django.conf import settings

from ffapi_site.database import embedded
from tests.harness.processes import is_dead, stop
from tests.harness.server import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Not under /tmp: another run of pytest would close its folder to the database's user.
    folder = Path(mkdtemp(prefix="killed-", dir=settings.DATA_DIR)) / "postgres"
    yield folder
    embedded.stop(folder)


def _connect(folder: Path) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=embedded.start(folder), user="postgres", dbname="postgres")


def _answer(folder: Path) -> object:
    with _connect(folder) as server:
        return server.execute("SELECT 1").fetchone()


def _pid(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text().split()[0])


def _a_zombie(user: int) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(["true"], user=user)
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    return child


def _another_program(user: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"], user=user)


@pytest.mark.parametrize("taken_by", [_a_zombie, _another_program])
def test_the_number_of_a_killed_server_may_be_taken(
    folder: Path, taken_by: Callable[[int], subprocess.Popen[bytes]]
) -> None:
    assert _answer(folder) == (1,)
    server = psutil.Process(_pid(folder))
    left = [server, *server.children()]
    server.kill()
    assert eventually(lambda: all(map(is_dead, left)), within_s=20)
    # Of the same user: PostgreSQL knows that a process that it may not signal is none of its own.
    dead, other = _pid(folder), taken_by(folder.stat().st_uid)
    lock = Path(embedded.socket_folder(folder)) / ".s.PGSQL.5432.lock"
    for file in (folder / "postmaster.pid", lock):
        file.write_text(file.read_text().replace(str(dead), str(other.pid)))
    try:
        assert _answer(folder) == (1,)
        assert _pid(folder) != other.pid
    finally:
        other.kill()
        other.wait()


def test_a_process_that_outlived_a_killed_server_is_ended(folder: Path) -> None:
    """It stands still and holds the memory: PostgreSQL would start no server beside it."""
    with _connect(folder) as held:
        frozen = psutil.Process(held.info.backend_pid)
        stop(frozen)
        psutil.Process(_pid(folder)).kill()
        assert _answer(folder) == (1,)
        assert is_dead(frozen)
        held.close()


_NEVER_BURIES = """
import ctypes, sys
from pathlib import Path
from ffapi_site.database import embedded
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER, as the first of a container is
embedded.start(Path(sys.argv[1]))
print("started", flush=True)
sys.stdin.read()
"""


def test_a_server_that_nobody_buries_holds_up_no_stop(folder: Path) -> None:
    """Its parent is whoever adopted it, and in a container that one may wait for nobody."""
    embedded.stop(folder)
    command = [sys.executable, "-c", _NEVER_BURIES, str(folder)]
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "started\n"
        server = psutil.Process(_pid(folder))
        assert server.ppid() == parent.pid
        began = time.monotonic()
        embedded.stop(folder)
        assert time.monotonic() - began < 20
        assert server.status() == psutil.STATUS_ZOMBIE
        assert _answer(folder) == (1,)


def test_an_empty_lock_file_is_nobodys(folder: Path) -> None:
    """A full disk leaves one, and PostgreSQL would wait for its being written for ever."""
    assert _answer(folder) == (1,)
    embedded.stop(folder)
    (folder / "postmaster.pid").touch()
    assert _answer(folder) == (1,)


def test_a_server_that_runs_is_left_alone(folder: Path) -> None:
    assert _answer(folder) == (1,)
    pid = _pid(folder)
    assert _answer(folder) == (1,)
    embedded.renew(folder)
    assert _pid(folder) == pid


def test_where_a_site_sees_to_it_nobody_else_starts_it(folder: Path) -> None:
    assert _answer(folder) == (1,)
    embedded.stop(folder)
    with embedded.kept(folder):
        place = embedded.socket_folder(folder)
        assert not embedded.is_running(folder)
    embedded.socket_folder.cache_clear()
    assert embedded.socket_folder(folder) == place
    assert embedded.is_running(folder)


def test_data_that_are_no_database_are_named(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "letter").touch()
    with pytest.raises(embedded.NotReady, match="files in it that are no database"):
        embedded.start(tmp_path / "postgres")


def test_several_may_start_it_while_it_is_made() -> None:
    folder = Path(mkdtemp(prefix="new-", dir=settings.DATA_DIR)) / "postgres"
    code = f"""
from pathlib import Path
from ffapi_site.database import embedded
embedded.start(Path({str(folder)!r}))
"""
    starting = []
    for _ in range(6):
        starting.append(subprocess.Popen([sys.executable, "-c", code], cwd=settings.BASE_DIR))
        time.sleep(0.3)  # the making takes a second or two
    try:
        assert [each.wait(60) for each in starting] == [0] * 6
        assert _answer(folder) == (1,)
    finally:
        embedded.stop(folder)
