"""The supervisor's configuration: every program restarted when it ends, each with its own log."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from ffapi_site.serving.programs import Program
from ffapi_site.serving.tied import ADOPTING

_SUPERVISORD = """\
[supervisord]
nodaemon=true
silent=true
directory={directory}
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={folder}/supervisord.pid
"""
# All of the work ends at once, and only then what it works with.
_GROUP = """
[group:work]
programs={names}
priority=2
"""
_PROGRAM = """
[program:{name}]
command={command}
priority=1
autorestart=true
startsecs=1
startretries=1000
stopwaitsecs={stop_within_s}
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""


def configuration(programs: Iterable[Program], *, folder: Path, directory: Path) -> str:
    """Give supervisord's configuration; it listens nowhere, so two of them can't meet."""
    programs = list(programs)
    places = {key: _escaped(str(path)) for key, path in _places(folder, directory).items()}
    work = ",".join(each.name for each in programs if each.name != "database")
    return (
        _SUPERVISORD.format(**places)
        + _GROUP.format(names=work)
        + "".join(
            _PROGRAM.format(
                name=program.name,
                command=_escaped(shlex.join(_tied(program.command))),
                stop_within_s=program.stop_within_s,
                **places,
            )
            for program in programs
        )
    )


def supervisor_command(configuration_file: Path) -> list[str]:
    supervisord = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration_file)]
    return list(_tied((ADOPTING, *supervisord)))


def _tied(command: tuple[str, ...]) -> tuple[str, ...]:
    return (sys.executable, "-m", "ffapi_site.serving.tied", *command)


def _places(folder: Path, directory: Path) -> dict[str, Path]:
    return {"folder": folder, "logs": folder / "logs", "directory": directory}


def _escaped(value: str) -> str:
    """Double the per cent signs, which supervisord would expand."""
    return value.replace("%", "%%")
