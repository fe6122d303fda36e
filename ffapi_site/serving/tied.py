"""``python -m ffapi_site.serving.tied COMMAND…``: a command that does not outlive its parent.

When the parent ends, however it ends, the kernel sends the command SIGTERM (prctl(2),
PR_SET_PDEATHSIG, kept over the exec), so a killed supervisor leaves nothing behind.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def tie_to_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it ended in between, and nobody would tell us
        sys.exit(1)


def adopt_orphans() -> None:
    """Have what loses its own parent below this process become its child."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


if __name__ == "__main__":
    tie_to_parent()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 -- our own programs, from programs.py
