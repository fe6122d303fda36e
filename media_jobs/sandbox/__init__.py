"""The only room that starts a process on media.

What a file can make FFmpeg do is bounded by the kernel (Landlock, seccomp, limits, a user of its
own), not by its command line: an uploaded playlist can name any file or address. No Django here:
the command line uses it without a database.
"""

from __future__ import annotations

from media_jobs.sandbox.launch_spec import Limits
from media_jobs.sandbox.layers import (
    Layer,
    Probe,
    SandboxReport,
    SandboxUnavailable,
    may_read,
    report,
    require,
)
from media_jobs.sandbox.process import Ended, Process
from media_jobs.sandbox.program import Finished, finish, prepare, run, start
from media_jobs.sandbox.self_test import selftest
from media_jobs.sandbox.spawn import close

__all__ = [
    "Ended",
    "Finished",
    "Layer",
    "Limits",
    "Probe",
    "Process",
    "SandboxReport",
    "SandboxUnavailable",
    "close",
    "finish",
    "may_read",
    "prepare",
    "report",
    "require",
    "run",
    "selftest",
    "start",
]
