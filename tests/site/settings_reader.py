"""Reads the settings anew for each line on stdin, in a fork of a process that imported the rest.

A line is JSON with the ``code`` to run and its whole ``environment``; so is each answer.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import csp.constants
import django.core.exceptions
import django_stubs_ext

# Imported for whoever is forked: of what is ours nothing is, for that reads the environment.
__all__ = ["csp", "django", "django_stubs_ext"]


def _run(code: str, environment: dict[str, str], folder: Path) -> None:
    """As ``python -c`` would; never returns."""
    for stream, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), stream)
    os.environ.clear()
    os.environ.update(environment)
    status = 0
    try:
        exec(code, {})  # noqa: S102 -- that is what it is for
    except BaseException:  # noqa: BLE001 -- told as Python tells of it
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _answered(asked: dict[str, Any]) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        place = Path(folder)
        pid = os.fork()
        if not pid:
            _run(asked["code"], asked["environment"], place)
        _, status = os.waitpid(pid, 0)
        told = {name: (place / name).read_text() for name in ("stdout", "stderr")}
        return {"returncode": os.waitstatus_to_exitcode(status), **told}


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answered(json.loads(line))) + "\n")
        sys.stdout.flush()
