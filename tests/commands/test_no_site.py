"""A command where no site is yet, or in another folder than was meant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.harness.server import ROOT, environment


def test_it_says_so_and_starts_no_database(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    done = subprocess.run(
        [sys.executable, "manage.py", "create_api_key", "--tenant", "acme"],
        cwd=ROOT,
        env=environment(folder, 1),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"There is no site in {folder} yet")
    assert "FFAPI_DATA_DIR" in done.stderr
    assert not (folder / "postgres").exists()
