from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.serving.server import ROOT, Server, environment, eventually, free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with Server.start(folder) as server:
        server.await_line("FFAPI serves")
        yield server


def test_it_works(server: Server) -> None:
    assert httpx.get(f"{server.url}/health/ready").is_success
    assert {process.name() for process in server.processes()} > {"postgres"}
    assert server.process.poll() is None
    server.process.terminate()
    assert server.process.wait(60) == 0
    assert "stopped" in server.output.read()
    assert server.processes() == []


def test_what_ends_is_started_again(server: Server) -> None:
    web = _one(server, "gunicorn")
    web.kill()
    assert eventually(server.is_live, within_s=20)
    assert _one(server, "gunicorn").pid != web.pid


def test_a_killed_supervisor_leaves_nothing_behind(server: Server) -> None:
    _one(server, "supervisor.supervisord").kill()
    assert server.process.wait(60) == 1
    assert "the supervisor ended" in server.output.read()
    assert server.processes() == []


def test_killed_itself_it_leaves_only_the_database(server: Server) -> None:
    server.process.kill()
    server.process.wait(10)

    def only_database() -> bool:
        try:
            return {process.name() for process in server.processes()} == {"postgres"}
        except psutil.NoSuchProcess:  # one ended while it was looked at
            return False

    assert eventually(only_database, within_s=60)
    with Server.start(server.folder) as again:
        again.await_line("FFAPI serves")
        assert again.stop() == 0
    assert server.processes() == []


def test_a_second_one_in_the_same_folder_is_refused(server: Server) -> None:
    command = [sys.executable, "manage.py", "serve"]
    place = environment(server.folder, free_port())
    second = subprocess.run(
        command, cwd=ROOT, env=place, capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert "FFAPI_DATA_DIR" in second.stderr
    assert server.is_live()


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
