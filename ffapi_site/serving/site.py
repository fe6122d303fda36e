"""The whole site on one machine: prepared, started, awaited, and stopped without a rest."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
from django.conf import settings
from django.core.management import call_command

from ffapi_site.database import embedded, remains
from ffapi_site.lib import locks
from ffapi_site.serving import address, data_ownership, forks, readiness, statics, web_user
from ffapi_site.serving.programs import programs
from ffapi_site.serving.supervision import configuration
from ffapi_site.serving.tied import adopt_orphans

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_KILLED_WITHIN_S = 10


_AS_ROOT = """\
WARNING: the web server runs as root: {reason}.
What takes it over has the machine. docs/security.md says how it gets a user of its own.
"""


class CannotServe(Exception):  # noqa: N818 -- reads as the sentence it is
    """The site could not be started"""


@contextmanager
def running(warn: Callable[[str], object]) -> Iterator[psutil.Process]:
    """Run web server and slots, ready for requests; at the end nothing of them is left.

    Where root serves, the web server gets a user of its own; ``warn`` is told why where it can't.
    Raises ``CannotServe`` where the port or the data folder is taken or a part does not come up.
    """
    with _data_folder_to_ourselves(), _stopped_by_signals(), _database():
        try:
            address.require_free(settings.BIND, settings.PORT)
        except address.NotFree as error:
            raise CannotServe(str(error)) from error
        call_command("migrate", interactive=False, verbosity=0)
        statics.collect(settings.DATA_DIR / "static.stamp")
        start = secrets.token_hex(8)
        user = ""  # of the web server, where it is not whoever serves
        if os.geteuid() == 0:
            try:
                user = web_user.made_ready()
            except web_user.NotUsable as error:
                warn(_AS_ROOT.format(reason=error))
        with _supervised(start, user) as supervisor:
            readiness.wait(supervisor, start, within_s=90)
            yield supervisor


@contextmanager
def _data_folder_to_ourselves() -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.held(settings.DATA_DIR / "serving.lock", within_s=0))
        except TimeoutError as error:
            raise CannotServe(
                f"another server uses {settings.DATA_DIR}, or is about to end there; "
                "wait until it has, or choose another FFAPI_DATA_DIR"
            ) from error
        except PermissionError as error:
            raise CannotServe(f"{settings.DATA_DIR} is another user's; give it to yours") from error
        if os.geteuid() == 0:
            try:
                data_ownership.take_back()
            except data_ownership.NotTaken as error:
                raise CannotServe(str(error)) from error
        yield


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Make SIGTERM what Ctrl-C is: the stack unwinds and everything is stopped on the way."""
    before = {asked: signal.signal(asked, signal.default_int_handler) for asked in _STOPS}
    try:
        yield
    finally:
        for asked, handler in before.items():
            signal.signal(asked, handler)


def _ignore_signals() -> None:
    """Once is enough: stopping must come to its end."""
    for asked in _STOPS:
        signal.signal(asked, signal.SIG_IGN)


@contextmanager
def _database() -> Iterator[None]:
    """Have the embedded server run, for migrations at first; later its program sees to it."""
    if not settings.EMBEDDED_DATABASE:
        yield
        return
    folder = Path(settings.DATABASES["default"]["FOLDER"])
    try:
        with embedded.kept(folder):
            try:
                embedded.renew(folder)
                yield
            finally:
                _ignore_signals()
                embedded.stop(folder)  # its program has done so, unless the supervisor was killed
    except embedded.NotReady as error:
        raise CannotServe(f"the database does not start: {error}") from error


@contextmanager
def _supervised(start: str, user: str) -> Iterator[psutil.Process]:
    folder = settings.DATA_DIR
    logs = log_folder()
    logs.mkdir(exist_ok=True)
    logs.chmod(0o700)  # they tell of tenants and their hosts
    written = folder / "supervisord.conf"
    told = configuration(programs(user), folder=folder, directory=settings.BASE_DIR)
    written.write_text(told)
    adopt_orphans()  # of a killed supervisor, so that we can end them
    supervisor = forks.supervisor(written, start)
    try:
        yield supervisor
    finally:
        _stop(supervisor)


def _stop(supervisor: psutil.Process) -> None:
    _ignore_signals()
    within_s = max(program.stop_within_s for program in programs())
    with suppress(psutil.NoSuchProcess):
        supervisor.terminate()
    try:
        supervisor.wait(within_s + 5)
    except psutil.TimeoutExpired:
        supervisor.kill()
    psutil.wait_procs(_orphans(), timeout=within_s)
    until = time.monotonic() + _KILLED_WITHIN_S
    while (left := _orphans()) and time.monotonic() < until:  # one that forks is not there at once
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=1)


def _orphans() -> list[psutil.Process]:
    """What outlived a killed supervisor; the database has a stop of its own."""
    found: list[psutil.Process] = psutil.Process(os.getpid()).children(recursive=True)
    if not settings.EMBEDDED_DATABASE:
        return found
    # Told by its user and where it works: anybody may call itself postgres.
    folder = Path(settings.DATABASES["default"]["FOLDER"]).resolve()
    return [process for process in found if not remains.is_of(folder, process.pid)]


def ended(supervisor: psutil.Process) -> str:
    """Wait for the supervisor, which ends by no order but its own or a stranger's; give how."""
    status = supervisor.wait()
    if status < 0:
        return f"the supervisor was ended by {signal.Signals(-status).name}"
    return f"the supervisor ended with status {status}; its log says why"


def log_folder() -> Path:
    return Path(settings.DATA_DIR) / "logs"
