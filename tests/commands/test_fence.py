from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from media_jobs.worker import landlock, sandbox_cgroup, sandbox_namespaces

ROOT = Path(__file__).parents[2]
CONTAINED = [sys.executable, "-m", "tests.worker.container"]
# One that every user may run, with the packages of this one.
PYTHON = "/usr/bin/python3"
SELFTEST = [PYTHON, "manage.py", "fence", "selftest", "--json"]
UID = "1234"


def _selftest(*arguments: str) -> tuple[str, int]:
    told, status = StringIO(), 0
    try:
        call_command("fence", "selftest", *arguments, stdout=told)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return told.getvalue(), status


def test_it_works() -> None:
    told, status = _selftest()
    assert status == 0
    for layer in ("process", "user", "landlock", "seccomp", "namespaces", "cgroup"):
        assert f"\n{layer} " in f"\n{told}"
    assert "47 of 47 escapes blocked" in told
    assert "jobs are taken\n" in told
    assert not sandbox_cgroup.is_entered()


def test_it_tells_programs_too() -> None:
    facts = json.loads(_selftest("--json")[0])
    assert facts["allowed"]
    assert set(facts["probes"].values()) == {True}
    assert facts["layers"]["seccomp"]["active"]


def test_a_missing_layer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFAPI_SANDBOX_NAMESPACES", "off")
    monkeypatch.setattr(landlock, "version", lambda: (0, "the kernel has no Landlock"))
    told, status = _selftest()
    assert status == 1
    assert "level: none; jobs are not taken" in told
    assert "landlock: the kernel has no Landlock" in told


def test_an_override_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_DEGRADED_SANDBOX", "1")
    monkeypatch.setenv("FFAPI_SANDBOX_DISABLE", "seccomp")
    told, status = _selftest()
    assert status == 0
    assert "fork                   GOT OUT" in told
    assert "jobs are taken only because ALLOW_DEGRADED_SANDBOX is 1" in told
    assert "reason: the self-test got out by: " in told


def test_namespaces_that_are_wanted_and_can_not_be_made_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FFAPI_SANDBOX_NAMESPACES", "on")
    monkeypatch.setattr(sandbox_namespaces, "unavailable_reason", lambda: "no permission")
    told, status = _selftest()
    assert status == 1
    assert "namespaces   off  no permission" in told
    assert "level: none" in told


@pytest.fixture
def data_folder() -> Iterator[Path]:
    home = Path("/var/tmp") / f"ffapi-container-{os.getpid()}"  # noqa: S108 - pytest's is closed
    home.mkdir(mode=0o700)
    shutil.chown(home, int(UID), int(UID))
    yield home
    shutil.rmtree(home)


def _in_container(data_folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {
        "PATH": os.environ["PATH"],
        "FFAPI_DATA_DIR": str(data_folder),
        "PYTHONPATH": f"{ROOT}:{packages}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [*CONTAINED, *options, UID, *SELFTEST]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not Path(PYTHON).exists(), reason="only root can become another user"
)


def _facts(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(done.stdout or "{}")
    assert facts, done.stderr
    return facts


@needs_root
def test_in_a_container_the_sandbox_is_reduced_and_holds(data_folder: Path) -> None:
    done = _in_container(data_folder)
    facts = _facts(done)
    assert (facts["level"], facts["allowed"], done.returncode) == ("reduced", True, 0)
    assert facts["leaks"] == []
    assert set(facts["probes"].values()) == {True}
    active = {name for name, layer in facts["layers"].items() if layer["active"]}
    assert active == {"process", "landlock", "seccomp"}
    assert all(layer["active"] or layer["reason"] for layer in facts["layers"].values())


@needs_root
def test_in_a_container_without_landlock_no_job_is_taken(data_folder: Path) -> None:
    done = _in_container(data_folder, "--without-landlock")
    facts = _facts(done)
    assert (facts["level"], facts["allowed"], done.returncode) == ("none", False, 1)
    assert "the kernel has no Landlock" in facts["reason"]
