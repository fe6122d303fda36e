"""Libraries that are loaded into the site's processes before all others."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


class CanNotPreload(Exception):  # noqa: N818 -- a state, not a mistake
    """Here there can be no such library; the message says why"""


def compiled(source: Path, folder: Path) -> Path:
    """Make the library of ``source`` in ``folder``. Raises `CanNotPreload`."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise CanNotPreload("there is no C compiler (cc)")
    library = folder / source.with_suffix(".so").name
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"]
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    if made.returncode:
        raise CanNotPreload(f"{source.name} can't be compiled: {made.stderr[-200:]}")
    return library
