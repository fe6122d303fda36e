"""The commands of the README, run as they are printed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.media import Samples
from tests.serving.server import ROOT, Server, environment

pytestmark = pytest.mark.slow


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with Server.start(folder) as server:
        server.await_line("FFAPI serves")
        yield server


def test_it_works(server: Server, media: Samples, tmp_path: Path) -> None:
    first_call, another_key = re.findall(r"```bash\n(.*?)```", _readme(), re.DOTALL)
    key = json.loads(server.manage("create_api_key", "--tenant", "demo", "--json"))["key"]
    told = {
        "ffapi_...": key,
        "http://localhost:8000": server.url,
        "var/demo/mountains-at-dusk.mp4": str(media.path("film")),
    }
    for printed, real in told.items():
        assert printed in first_call
        first_call = first_call.replace(printed, real)
    _run(first_call, server, folder=tmp_path)
    job = json.loads((tmp_path / "job.json").read_text())
    assert (job["status"], len(job["outputs"])) == ("completed", 3)
    assert (tmp_path / "thumbnail.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    assert json.loads(_run(another_key, server, folder=ROOT))["role"] == "developer"


def _readme() -> str:
    return (ROOT / "README.md").read_text()


def _run(commands: str, server: Server, *, folder: Path) -> str:
    place = environment(server.folder, server.port)
    bash = ["bash", "-euo", "pipefail", "-c", commands]
    done = subprocess.run(bash, cwd=folder, env=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
