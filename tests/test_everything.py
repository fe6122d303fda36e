from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import data_folder, everything
from tests.everything import LANES, Check, Lane

SETTINGS = "DJANGO_SETTINGS_MODULE"


def saying(text: str, *, status: int = 0) -> Check:
    return Check(text, (sys.executable, "-c", f"print({text!r}); raise SystemExit({status})"))


def test_it_works(capfd: pytest.CaptureFixture[str]) -> None:
    lane = Lane((saying("one"), saying("two")), (saying("three"),))
    assert lane.failures() == {}
    assert {"one", "two", "three"} <= set(capfd.readouterr().out.splitlines())


def test_what_fails_is_named_wherever_it_ran() -> None:
    """The rest is run all the same."""
    lane = Lane((saying("one", status=1), saying("two")), (saying("three", status=2),))
    assert lane.failures() == {"one": "one", "three": "three"}


def test_a_lane_of_static_checks_alone() -> None:
    assert Lane((), (saying("one", status=1),)).failures() == {"one": "one"}


def test_a_change_must_pass_every_static_check() -> None:
    for name in ("check", "test", "nightly"):
        assert LANES[name].beside == (*everything.STATIC, *everything.MADE)


def test_the_last_run_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(everything, "LAST", tmp_path / "last.json")
    monkeypatch.setattr(everything, "LANES", {"check": Lane((saying("one", status=1),), ())})
    monkeypatch.setattr(data_folder, "remove", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["everything", "check"])
    with pytest.raises(SystemExit, match=r"failed in .* s: one"):
        everything.main()
    kept = json.loads((tmp_path / "last.json").read_text())
    assert (kept["lane"], kept["passed"]) == ("check", False)
    assert "one failed with" in capsys.readouterr().out


def test_commits_are_checked_by_the_same_commands() -> None:
    """All but how a production is set up, which needs more than sources."""
    configured = yaml.safe_load((everything.ROOT / ".pre-commit-config.yaml").read_text())
    hooks = {hook["name"]: hook["entry"] for hook in configured["repos"][0]["hooks"]}
    folder = str(Path(sys.executable).parent)
    checks = {
        check.name: " ".join(check.command).replace(folder, ".venv/bin")
        for check in everything.STATIC
        if check.name != "production settings"
    }
    assert hooks == checks


@pytest.mark.parametrize("command", ["bench", "chaos"])
def test_what_sets_up_its_own_site_starts_before_there_are_settings(command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != SETTINGS}
    helped = subprocess.run(
        [sys.executable, "-m", command, "--help"],
        cwd=everything.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (helped.returncode, helped.stderr) == (0, "")
