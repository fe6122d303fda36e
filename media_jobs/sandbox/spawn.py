"""Start what confines itself, and know whether it did."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from media_jobs.ffmpeg import words
from media_jobs.sandbox import allowed_paths, layers, namespaces
from media_jobs.sandbox.allowed_paths import Place, Use
from media_jobs.sandbox.fork_server import INTERPRETER, ForkServer
from media_jobs.sandbox.launch_spec import Limits, written
from media_jobs.sandbox.layers import SandboxUnavailable
from media_jobs.sandbox.process import Forked, Namespace, Process

_HERE: Final = Path(__file__).parent
# What the launcher says last.
_READY: Final = "ready"
_TELL_S: Final = 20.0
# Relative, so that the process never learns where it is.
ENVIRONMENT: Final = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "tmp",
    "TMPDIR": "tmp",
    "XDG_CACHE_HOME": "tmp",
    **words.MARKED,
    **allowed_paths.font_settings(),
}


@dataclass(frozen=True)
class Script:
    """What confines itself: the launcher, or the self-test's probe."""

    path: Path
    needs: Path
    """The file or folder that it consists of."""


LAUNCHER: Final = Script(_HERE / "launcher.py", needs=_HERE / "launcher.py")
_forks: Final = ForkServer(LAUNCHER.path, ENVIRONMENT)


@dataclass(frozen=True)
class Start:
    script: Script
    arguments: Sequence[str]
    """For the script, after its orders."""
    folder: Path
    limits: Limits
    places: Sequence[Place]
    devices: Sequence[str] = ()
    inherited: tuple[int, ...] = ()


def spawn(start: Start) -> Process:
    """Return once the launcher has confined itself. Raises SandboxUnavailable."""
    if start.script == LAUNCHER and not layers.puts_in_namespaces(start.devices):
        return _forked(start)
    with ExitStack() as stack:
        status, for_launcher = stack.enter_context(_pipe())
        info, for_bubblewrap = stack.enter_context(_pipe())
        orders = [f"status={for_launcher.fileno()}", *_orders(start)]
        popen = subprocess.Popen(  # noqa: S603 - the one place that may
            _command(start, orders, for_bubblewrap.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            start_new_session=True,
            pass_fds=(for_launcher.fileno(), for_bubblewrap.fileno(), *start.inherited),
        )
        for_launcher.close()
        for_bubblewrap.close()
        try:
            told, told_of_namespace = _told(status), _told(info)
        except TimeoutError as error:
            popen.kill()
            with popen:  # waits
                raise SandboxUnavailable(str(error)) from error
        namespace = None
        if told_of_namespace:
            first_pid = int(json.loads(told_of_namespace)["child-pid"])
            namespace = Namespace(namespaces.child_of(first_pid) or first_pid, first_pid)
        process = Process(popen, start.limits, namespace=namespace)
    return _confined(process, told)


def _forked(start: Start) -> Process:
    with ExitStack() as stack:
        status, for_launcher = stack.enter_context(_pipe())
        stdout, for_stdout = stack.enter_context(_pipe())
        stderr, for_stderr = stack.enter_context(_pipe())
        words = [*_orders(start), "--", *start.arguments]
        into = [stream.fileno() for stream in (for_stdout, for_stderr, for_launcher)]
        try:
            pid = _forks.fork(words, *into)
        except OSError as error:
            raise SandboxUnavailable(str(error)) from error
        for stream in (for_stdout, for_stderr, for_launcher):
            stream.close()
        # They are the process's from here on.
        out, err = (os.fdopen(os.dup(stream.fileno()), "rb") for stream in (stdout, stderr))
        process = Process(Forked(pid, out, err), start.limits)
        try:
            told = _told(status)
        except TimeoutError as error:
            process.kill()
            with process.stdout, process.stderr:
                process.wait()
            raise SandboxUnavailable(str(error)) from error
    return _confined(process, told)


def _told(status: IO[bytes]) -> str:
    """What comes before exec closes the descriptor, or the reason why there is no exec.

    Raises TimeoutError where neither comes: something stopped it on its way there.
    """
    told, until = b"", time.monotonic() + _TELL_S
    with selectors.DefaultSelector() as ready:
        ready.register(status, selectors.EVENT_READ)
        while (left_s := until - time.monotonic()) > 0 and ready.select(left_s):
            if not (more := os.read(status.fileno(), 1 << 12)):
                return told.decode()
            told += more
    raise TimeoutError(f"it was not confined within {_TELL_S:g} s")


def _confined(process: Process, told: str) -> Process:
    # One whose time was over before it began was stopped by us: that is for its limits to say.
    if told != _READY and not process.timed_out:
        with process.stdout, process.stderr:
            last_words = process.stderr.read().decode(errors="replace").strip()
            ended = process.wait()
        unsaid = f"it ended with status {ended.returncode} before it was confined"
        raise SandboxUnavailable(told.removeprefix(_READY) or last_words or unsaid)
    return process


def _orders(start: Start) -> list[str]:
    return written(start.folder, start.limits, start.places, start.devices)


@contextmanager
def _pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as read_from, os.fdopen(writing, "wb") as write_to:
        yield read_from, write_to


def _command(start: Start, orders: list[str], tell_pid_to: int) -> list[str]:
    script = [INTERPRETER, "-I", "-S", str(start.script.path)]
    command = [*script, *orders, "--", *start.arguments]
    if not layers.puts_in_namespaces(start.devices):
        return command
    namespaces.inherit_orphans()
    places = [*start.places, Place(str(start.script.needs), Use.READ)]
    return namespaces.wrapped(command, start.folder, places, tell_pid_to=tell_pid_to)


def close() -> None:
    """End the launcher that stands ready to fork; what it forked goes on.

    For who has started its last program and goes on living: it would be left over.
    """
    _forks.close()
