from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from media_jobs.sandbox import cgroup, landlock, namespaces
from tests.worker.container import needs_root, selftest

UID = 1234


def _selftest(*arguments: str) -> tuple[str, int]:
    told, status = StringIO(), 0
    try:
        call_command("sandbox", "selftest", *arguments, stdout=told)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return told.getvalue(), status


def test_it_works() -> None:
    told, status = _selftest()
    assert status == 0
    for layer in ("process", "user", "landlock", "seccomp", "namespaces", "cgroup"):
        assert f"\n{layer} " in f"\n{told}"
    tried = re.search(r"(\d+) of (\d+) escapes blocked", told)
    assert tried
    assert int(tried[1]) == int(tried[2]) >= 60
    assert "jobs are taken\n" in told
    assert not cgroup.is_entered()


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
    monkeypatch.setattr(namespaces, "unavailable_reason", lambda: "no permission")
    told, status = _selftest()
    assert status == 1
    assert "namespaces   off  no permission" in told
    assert "level: none" in told


@pytest.fixture
def data_folder() -> Iterator[Path]:
    home = Path("/var/tmp") / f"ffapi-container-{os.getpid()}"  # noqa: S108 - pytest's is closed
    home.mkdir(mode=0o700)
    shutil.chown(home, UID, UID)
    yield home
    shutil.rmtree(home)


@needs_root
def test_in_a_container_the_sandbox_is_reduced_and_holds(data_folder: Path) -> None:
    facts = selftest(data_folder, UID)
    assert (facts["level"], facts["allowed"]) == ("reduced", True)
    assert facts["leaks"] == []
    assert set(facts["probes"].values()) == {True}
    active = {name for name, layer in facts["layers"].items() if layer["active"]}
    assert active == {"process", "landlock", "seccomp"}
    assert all(layer["active"] or layer["reason"] for layer in facts["layers"].values())


@needs_root
def test_in_a_container_without_landlock_no_job_is_taken(data_folder: Path) -> None:
    facts = selftest(data_folder, UID, "--without-landlock")
    assert (facts["level"], facts["allowed"]) == ("none", False)
    assert "the kernel has no Landlock" in facts["reason"]
