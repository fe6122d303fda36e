from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import psutil
import pytest
from pytest_django import Settings

from ffapi_site.serving import readiness

OURS = "the start that is awaited"


class _Ready(BaseHTTPRequestHandler):
    """A site that is ready, started as ``started`` says."""

    started = OURS

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("X-Start", self.started)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def answering(settings: Settings) -> Iterator[type[_Ready]]:
    class Ready(_Ready):
        pass

    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        settings.PORT = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Ready
        server.shutdown()


@pytest.fixture
def supervisor() -> Iterator[psutil.Process]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield psutil.Process(process.pid)
        process.kill()


def test_it_works(answering: type[_Ready], supervisor: psutil.Process) -> None:
    readiness.wait(supervisor, OURS, within_s=10)


def test_another_sites_readiness_is_not_ours(
    answering: type[_Ready], supervisor: psutil.Process
) -> None:
    answering.started = "another"
    with pytest.raises(readiness.NotReady, match="another server answers"):
        readiness.wait(supervisor, OURS, within_s=1)


def test_a_supervisor_that_ended_is_not_awaited(
    answering: type[_Ready], supervisor: psutil.Process
) -> None:
    supervisor.kill()
    with pytest.raises(readiness.NotReady, match="the supervisor ended"):
        readiness.wait(supervisor, OURS, within_s=10)
