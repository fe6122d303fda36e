"""A data folder of its own for each run, made when this is imported: before the settings are.

A pytest plugin (``-p tests.data_folder``) and not part of conftest, because the settings read the
environment before any conftest is imported. The processes of one run share the folder.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil

RUNS = Path(__file__).resolve().parent.parent / "var" / "test"
_IS_PART_OF_A_RUN = "PYTEST_XDIST_WORKER" in os.environ


def make() -> Path:
    """Make the folder of this process's run and name it in the environment."""
    remove_left_behind()
    folder = RUNS / str(os.getpid())
    (folder / "static").mkdir(parents=True)  # WhiteNoise looks for it
    os.environ["FFAPI_DATA_DIR"] = str(folder)
    return folder


def remove(folder: Path) -> None:
    from ffapi_site.database import embedded  # after the settings

    embedded.stop(folder / "postgres")
    shutil.rmtree(folder, ignore_errors=True)


def remove_left_behind() -> None:
    """Remove the folders of runs that were killed."""
    for folder in RUNS.glob("[0-9]*"):
        if not psutil.pid_exists(int(folder.name)):
            remove(folder)


def pytest_unconfigure() -> None:
    if not _IS_PART_OF_A_RUN:
        remove(FOLDER)


FOLDER = Path(os.environ["FFAPI_DATA_DIR"]) if _IS_PART_OF_A_RUN else make()
