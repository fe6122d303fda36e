"""Namespaces of its own for a process, made by bubblewrap where the host lets it.

No other process, no network and only the files that it may touch exist inside. What starts there
is the launcher, which adds the other layers.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from media_jobs.sandbox.allowed_paths import Place, Use

_TRY_S: Final = 10.0
# Not the user namespace: root keeps its own, so that the launcher can become the sandbox's user.
# Bubblewrap stays the first process inside: as root's it may be ended by its parent's death, which
# the sandbox's user's may not, and all the others end with the first.
_OWN: Final = (
    *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
    *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
)
_TO_CHANGE_USER: Final = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
_PR_SET_CHILD_SUBREAPER: Final = 36


def wanted() -> str:
    """``auto``: where they can be made; ``on``: no job without them; ``off``."""
    return os.environ.get("FFAPI_SANDBOX_NAMESPACES", "auto").strip().lower()


@lru_cache(maxsize=1)
def unavailable_reason() -> str | None:
    """Say why no namespaces can be made, found by making some; None where they can."""
    bwrap, true = shutil.which("bwrap"), shutil.which("true")
    if bwrap is None or true is None:
        return "bubblewrap (bwrap) is not installed"
    command = [bwrap, *_kinds(), "--ro-bind", "/", "/", "--remount-ro", "/", "--", true]
    try:
        tried = subprocess.run(  # noqa: S603 - no input of anybody's
            command, env={}, capture_output=True, text=True, timeout=_TRY_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"bubblewrap did not start within {_TRY_S:g} s"
    return None if tried.returncode == 0 else tried.stderr.strip() or "bubblewrap failed"


@lru_cache(maxsize=1)
def version() -> str | None:
    """Of bubblewrap, where it is installed."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return None
    told = subprocess.run(  # noqa: S603 - no input of anybody's
        [bwrap, "--version"], env={}, capture_output=True, text=True, timeout=_TRY_S, check=False
    )
    return told.stdout.strip() or None


def wrapped(
    command: Sequence[str], folder: Path, places: Iterable[Place], *, tell_pid_to: int
) -> list[str]:
    """Give the command line that runs ``command``, a Python's, in namespaces of its own.

    ``tell_pid_to`` is an inherited descriptor that gets a JSON object with ``child-pid``.
    """
    python = [Place(command[0], Use.RUN), Place(f"{sys.base_prefix}/lib", Use.READ)]
    binds = _binds([*python, *places], folder.resolve())
    told = ["--info-fd", str(tell_pid_to)]
    bwrap = shutil.which("bwrap") or "bwrap"
    return [bwrap, *_kinds(), *told, *binds, "--remount-ro", "/", "--", *command]


@lru_cache(maxsize=1)
def inherit_orphans() -> None:
    """Let this process wait for what bubblewrap leaves behind, so as to know what it cost."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def child_of(first_pid: int) -> int | None:
    """The confined process, by the first of its namespace; None where it has ended."""
    try:
        children = Path(f"/proc/{first_pid}/task/{first_pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(children[0]) if children else None


def _kinds() -> tuple[str, ...]:
    if os.geteuid() == 0:
        return (*_OWN, *_TO_CHANGE_USER)
    return ("--unshare-user", *_OWN)


def _binds(places: Iterable[Place], folder: Path) -> Iterator[str]:
    """Nothing else is there; what lies in a folder that is there already needs no bind."""
    shown: list[Path] = []
    for place in places:
        path = Path(os.path.normpath(folder / place.path))
        is_there = any(path.is_relative_to(each) for each in shown)
        if is_there and place.use != Use.WORK:
            continue
        if not is_there:
            # Else bubblewrap makes it for root alone.
            yield from ("--perms", "0755", "--dir", str(path.parent))
        how = "--bind" if place.use == Use.WORK else "--ro-bind"
        yield "--dev-bind" if path.is_relative_to("/dev") else how
        yield from (str(path), str(path))
        shown.append(path)
