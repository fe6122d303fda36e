"""The supervisor as a fork of whoever serves, and its programs as forks of the supervisor.

Django and all that is ours is loaded once, before: a program begins in a moment, and shares the
memory of what was loaded with all others. One that is not to share it, the web server, which may be
another user's, is started as a program of its own, by `tied`.
"""

from __future__ import annotations

import gc
import os
import runpy
import signal
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connections
from setproctitle import setproctitle
from supervisor.options import ServerOptions
from supervisor.supervisord import go

from ffapi_site.lib import starts
from ffapi_site.lib.watched import become
from ffapi_site.serving import tied
from media_jobs.operations.core import REGISTRY

# What the programs would each load by themselves.
_LOADED = (
    "accounts.management.commands.audit",
    "media_jobs.management.commands.maintenance",
    "media_jobs.management.commands.slot",
    "media_jobs.management.commands.webhooks",
)


def supervisor(configuration_file: Path, start: str) -> psutil.Process:
    """Fork the supervisor. Not for a process that has threads."""
    for module in _LOADED:
        import_module(module)
    REGISTRY.load()
    connections.close_all()  # a fork must not share them
    gc.collect()
    gc.freeze()  # a collection writes to what it looks at, which ends the sharing
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        become(partial(_supervise, configuration_file, start))
    return psutil.Process(child)


def _supervise(configuration_file: Path, start: str) -> int:
    os.setsid()  # Ctrl-C is for the parent, which stops all in order
    tied.tie_to_parent()
    tied.adopt_orphans()
    os.chdir(settings.BASE_DIR)
    os.environ[starts.VARIABLE] = start
    setproctitle("ffapi: supervisor")
    options = _Options()
    options.realize(["-c", str(configuration_file)])
    options.first, options.test = True, False
    go(options)
    return 0


class _Options(ServerOptions):  # type: ignore[misc]  # supervisor has no types
    def execve(self, filename: str, argv: list[str], env: dict[str, str]) -> None:
        """Make this process, a fork of the supervisor, the program that ``argv`` starts."""
        if tied.__name__ in argv:
            super().execve(filename, argv, env)
        else:
            become(partial(_run, argv, env))


def _run(argv: list[str], env: dict[str, str]) -> int:
    """Do what ``python PROGRAM …`` or ``python -m MODULE …`` would, in this process."""
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):  # the supervisor's
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tied.tie_to_parent()
    os.environ.clear()
    os.environ.update(env)
    setproctitle(f"ffapi: {env['SUPERVISOR_PROCESS_NAME']}")
    is_module = argv[1] == "-m"
    sys.argv = argv[2:] if is_module else argv[1:]
    try:
        if is_module:
            runpy.run_module(argv[2], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(argv[1], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
            return 1
        return end.code or 0
    return 0
