"""That the other tests of this folder may say: no connection was made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.harness.far_end import FarEnd
from tests.harness.site import GUARDED, Site, guarded

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"
SEND = "import socket, sys; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', (sys.argv[1], 9))"
LOOK_UP = "import socket, sys; socket.getaddrinfo(sys.argv[1], 80)"


def _run(record: Path, code: str, *arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=dict(os.environ) | guarded(record),
        check=False,
        capture_output=True,
    )
    return done.returncode


@pytest.mark.parametrize(
    ("code", "host"),
    [
        (CONNECT, "192.0.2.1"),
        (CONNECT, "2001:db8::1"),
        (CONNECT, "169.254.169.254"),
        (SEND, "192.0.2.1"),
        (LOOK_UP, "example.org"),
    ],
)
def test_it_refuses_and_records(tmp_path: Path, code: str, host: str) -> None:
    assert _run(tmp_path / "refused", code, host, "80") == 1
    assert host in (tmp_path / "refused").read_text()


def test_it_lets_this_machine_be_reached(tmp_path: Path, far_end: FarEnd) -> None:
    host, port = far_end.authority.split(":")
    assert _run(tmp_path / "refused", CONNECT, host, port) == 0
    assert not (tmp_path / "refused").exists()


@pytest.mark.slow
def test_it_is_in_every_process_of_the_site(site: Site) -> None:
    guards = {each.pid: _guard_of(each) for each in site.server.processes()}
    names = {each.pid: each.name() for each in site.server.processes()}
    assert len(guards) > 10
    assert {names[pid] for pid, guard in guards.items() if guard != str(GUARDED)} <= {"postgres"}


def _guard_of(process: psutil.Process) -> str:
    return str(process.environ().get("PYTHONPATH"))
