"""A migrated database for each site that is started: made once in a run, then copied."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from ffapi_site.database import embedded
from tests import data_folder

ROOT = Path(__file__).resolve().parent.parent.parent


def put(folder: Path) -> None:
    """Put a copy at ``folder``, where there is no database yet."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    # -a: the files are the database's own user's.
    subprocess.run(["cp", "-a", "--reflink=auto", _made_once(), folder], check=True)


def _made_once() -> Path:
    place = data_folder.FOLDER / "migrated"
    place.mkdir(exist_ok=True)
    done = place / "done"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _migrate(place)
            done.touch()
    return place / "postgres"


def _migrate(place: Path) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"FFAPI_DATA_DIR": str(place)}, check=True)
    embedded.stop(place / "postgres")
