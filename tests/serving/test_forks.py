from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import pytest

from ffapi_site.serving import forks, tied
from ffapi_site.serving.programs import programs
from tests.harness.processes import exit_status, forked


def status_of(program: str, folder: Path) -> int:
    """Run Python text as the supervisor runs a program; give its exit status."""
    script = folder / "program.py"
    script.write_text(program)
    return status_of_python(str(script), "argument")


def status_of_python(*arguments: str) -> int:
    environment = dict(os.environ) | {"SUPERVISOR_PROCESS_NAME": "program", "TOLD": "told"}
    command = [sys.executable, *arguments]
    begin = partial(forks._Options().execve, sys.executable, command, environment)
    return exit_status(forked(begin))


def test_it_works(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = "import os, sys\nprint(__name__, sys.argv[1:], os.environ['TOLD'], flush=True)"
    assert status_of(program, tmp_path) == 0
    assert capfd.readouterr().out == "__main__ ['argument'] told\n"


def test_a_module_has_its_own_arguments(capfd: pytest.CaptureFixture[str]) -> None:
    assert status_of_python("-m", "calendar", "2026", "2") == 0
    assert "February 2026" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("program", "status", "told"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit('there is no room')", 1, "there is no room"),
        ("1 / 0", 1, ""),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", -15, ""),
    ],
)
def test_a_program_ends_as_it_would_by_itself(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], program: str, status: int, told: str
) -> None:
    assert status_of(program, tmp_path) == status
    assert told in capfd.readouterr().err


def test_the_web_server_is_no_fork() -> None:
    """Whoever takes it over finds nothing of what others loaded."""
    assert [each.name for each in programs() if tied.__name__ in each.command] == ["web"]
