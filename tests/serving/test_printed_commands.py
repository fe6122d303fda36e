"""The commands of the README and of the API's page, run as they are printed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.media import Samples
from tests.harness.server import ROOT, Server, environment

pytestmark = pytest.mark.slow
# An answer that is an error must end the commands.
_STRICT = 'set -euo pipefail; curl() { command curl --fail-with-body "$@"; }\n'


@pytest.fixture
def key(server: Server) -> str:
    made = json.loads(server.manage("create_api_key", "--tenant", "demo", "--json"))
    return str(made["key"])


def test_it_works(server: Server, key: str, media: Samples, tmp_path: Path) -> None:
    first_call, another_key = _printed("README.md")
    clip = "var/demo/mountains-at-dusk.mp4"
    assert clip in first_call
    first_call = first_call.replace(clip, str(media.path("film")))
    _run(_here(first_call, server, key), server, folder=tmp_path)
    job = json.loads((tmp_path / "job.json").read_text())
    assert (job["status"], len(job["outputs"])) == ("completed", 3)
    assert (tmp_path / "thumbnail.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    assert json.loads(_run(another_key, server, folder=ROOT))["role"] == "developer"


def test_the_api_answers_its_examples(
    server: Server, key: str, media: Samples, tmp_path: Path
) -> None:
    shutil.copy(media.path("film"), tmp_path / "film.mp4")
    commands = _here("\n".join(_printed("docs/api.md")), server, key)
    told = _run(commands, server, folder=tmp_path)
    assert '"status":"completed"' in told.replace(" ", "")


def _printed(page: str) -> list[str]:
    return re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def _here(commands: str, server: Server, key: str) -> str:
    for printed, real in {"ffapi_...": key, "http://localhost:8000": server.url}.items():
        assert printed in commands
        commands = commands.replace(printed, real)
    return commands


def _run(commands: str, server: Server, *, folder: Path) -> str:
    bash = ["bash", "-c", _STRICT + commands]
    place = environment(server.folder, server.port)
    done = subprocess.run(bash, cwd=folder, env=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
