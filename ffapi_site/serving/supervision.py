"""The supervisor's configuration: every program restarted when it ends, each with its own log."""

from __future__ import annotations

import pwd
import shlex
from collections.abc import Iterable
from pathlib import Path

from ffapi_site.serving.programs import Program

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
_AS_USER = """\
user={user}
environment={environment}
"""


def configuration(programs: Iterable[Program], *, folder: Path, directory: Path) -> str:
    """Give supervisord's configuration; it listens nowhere, so two of them can't meet."""
    programs = list(programs)
    named = {"folder": folder, "logs": folder / "logs", "directory": directory}
    places = {name: _escaped(str(path)) for name, path in named.items()}
    work = ",".join(each.name for each in programs if each.name != "database")
    written = _SUPERVISORD.format(**places) + _GROUP.format(names=work)
    for program in programs:
        written += _PROGRAM.format(
            name=program.name,
            command=_escaped(shlex.join(program.command)),
            stop_within_s=program.stop_within_s,
            **places,
        )
        if program.user:
            variables = identity(program.user).items()
            told = ",".join(f'{name}="{_escaped(value)}"' for name, value in variables)
            written += _AS_USER.format(user=program.user, environment=told)
    return written


def identity(user: str) -> dict[str, str]:
    """What differs in the environment of that user's programs; the rest is that of the site."""
    home = pwd.getpwnam(user).pw_dir
    # Who works with the tables need not know who owns them.
    return {"HOME": home, "USER": user, "LOGNAME": user, "DATABASE_OWNER_URL": ""}


def _escaped(value: str) -> str:
    """Double the per cent signs, which supervisord would expand."""
    return value.replace("%", "%%")
