"""``python -m ffapi_site.serving.tied COMMAND…``: a command that does not outlive its parent.

When the parent ends, however it ends, the kernel sends the command SIGTERM (prctl(2),
PR_SET_PDEATHSIG, kept over the exec), so a killed supervisor leaves nothing behind.
With ``--adopting`` first, what loses its own parent below the command becomes the command's child
(PR_SET_CHILD_SUBREAPER, kept as well): for one that waits for every child, as supervisord does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ADOPTING = "--adopting"


def tie_to_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it ended in between, and nobody would tell us
        sys.exit(1)


def adopt_orphans() -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


if __name__ == "__main__":
    tie_to_parent()
    command = sys.argv[1:]
    if command[0] == ADOPTING:
        adopt_orphans()
        command = command[1:]
    os.execvp(command[0], command)  # noqa: S606 -- our own programs, from supervision.py
