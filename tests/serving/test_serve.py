from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from ffapi_site.serving import site
from tests.harness.processes import kill
from tests.harness.server import ROOT, Server, environment, eventually, free_port
from tests.serving.shared import Shared, is_ready

pytestmark = pytest.mark.slow


def test_it_works(folder: Path) -> None:
    with Server.start(folder) as server:
        server.await_line("FFAPI serves")
        assert httpx.get(f"{server.url}/health/ready").is_success
        assert {process.name() for process in server.processes()} > {"postgres"}
        assert server.process.poll() is None
        assert (server.folder / "logs").stat().st_mode & 0o077 == 0  # they tell of tenants
        server.process.terminate()
        assert server.process.wait(60) == 0
        told = server.output.read()
        assert server.processes() == []
    assert "stopped" in told
    assert "manage.py create_staff --username" in told  # nobody has an account yet


def test_what_ends_is_started_again(server: Server) -> None:
    web = _one(server, "gunicorn")
    web.kill()
    assert eventually(server.is_live, within_s=60)
    assert _one(server, "gunicorn").pid != web.pid


def test_a_killed_supervisor_leaves_nothing_behind(server: Server) -> None:
    _one(server, "ffapi: supervisor").kill()
    assert server.process.wait(60) == 1
    assert "the supervisor was ended by SIGKILL: all else is stopped" in server.output.read()
    assert server.processes() == []


def test_what_only_calls_itself_a_database_is_ended(folder: Path) -> None:
    """What took a web server over may call itself anything, and would stay when the site ends."""
    program = folder / "postgres"
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as child:
        assert psutil.Process(child.pid).name() == "postgres"
        assert child.pid in {process.pid for process in site._orphans()}
        child.kill()


def test_killed_itself_it_leaves_nothing_behind(server: Server, shared: Shared) -> None:
    server.process.kill()
    server.process.wait(10)
    assert eventually(lambda: server.processes() == [], within_s=60)
    assert shared.running() is not server


def test_an_address_that_is_not_ours_is_named(folder: Path) -> None:
    with Server.start(folder, settings={"FFAPI_BIND": "192.0.2.1"}) as server:
        told = server.output.read()
        assert server.process.wait(30) == 1
    assert "choose another FFAPI_BIND" in told


def test_a_killed_database_is_started_again(server: Server) -> None:
    """By nobody but the site, beside which no command starts it."""
    before = _ends_of_the_database(server)
    for _ in range(2):
        kill(_postmaster(server))
        assert server.manage("shell", "-v0", "-c", _LOOK).strip() in {"False", "True"}
        assert eventually(lambda: is_ready(server), within_s=60)
    assert _ends_of_the_database(server) == before + 2


def _ends_of_the_database(server: Server) -> int:
    log = server.folder / "logs" / "database.log"
    return log.read_text().count("The database ended by itself")


_LOOK = """
from ffapi_site.database import embedded
from django.conf import settings
embedded.socket_folder(settings.DATA_DIR / "postgres")
print(embedded.is_running(settings.DATA_DIR / "postgres"))
"""


def test_a_second_one_in_the_same_folder_is_refused(server: Server) -> None:
    command = [sys.executable, "manage.py", "serve"]
    place = environment(server.folder, free_port())
    second = subprocess.run(
        command, cwd=ROOT, env=place, capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert "FFAPI_DATA_DIR" in second.stderr
    assert server.process.poll() is None
    assert eventually(server.is_live, within_s=60)


def test_a_taken_port_is_named(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = taken.getsockname()[1]
        with Server.start(folder, port=port) as server:
            told = server.output.read()
            assert server.process.wait(30) == 1
            assert server.processes() == []
    assert f"127.0.0.1:{port}" in told
    assert "PORT" in told


def _one(server: Server, word: str) -> psutil.Process:
    """The oldest process whose command line has the word: masters come before their workers."""
    found = [each for each in server.processes() if word in " ".join(each.cmdline())]
    return min(found, key=psutil.Process.create_time)


def _postmaster(server: Server) -> psutil.Process:
    """Of the database; another is there in its place once it was started again."""
    return psutil.Process(int((server.folder / "postgres/postmaster.pid").read_text().split()[0]))
