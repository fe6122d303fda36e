"""The short form of ``make chaos``: the quick faults, each once and more, and the whole proof."""

from __future__ import annotations

import secrets
import subprocess
import sys

import pytest

from tests.serving.server import ROOT


@pytest.mark.slow
@pytest.mark.xdist_group("system")  # not beside the other tests that need a whole site
def test_it_works() -> None:
    command = [sys.executable, "-m", "chaos", "--short", "--seed", str(secrets.randbelow(10**6))]
    ran = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=560
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "seed" in ran.stdout
