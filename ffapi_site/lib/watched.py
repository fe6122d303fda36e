"""A process that is watched from outside: where it stands still it is killed, and so started anew.

What systemd does for a service with ``WatchdogSec`` (sd_notify(3)), where there is no systemd: the
process says again and again that it goes on, and its parent, which does nothing else, counts the
seconds. Whatever stops it, a deadlock, a disk that is gone or SIGSTOP, is the same to the parent.
"""

from __future__ import annotations

import ctypes
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event
from typing import Final, NoReturn

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG: Final = 1
_PR_GET_PDEATHSIG: Final = 2
_FORWARDED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LATE_S: Final = 2.0
_BURIED_WITHIN_S: Final = 5.0

GoOn = Callable[[], None]


def run_watched(work: Callable[[GoOn], int], *, patience_s: float, start_s: float) -> int:
    """Run ``work`` in a child process and give its exit status; not 0 where it stood still.

    It is given what it must call at least every ``patience_s``, for the first time within
    ``start_s``. The child dies with this process and gets the signals that this one gets. Not for
    a process that has threads.
    """
    reading, writing = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.set_blocking(writing, False)
        die_with_parent(parent)
        become(lambda: work(lambda: _say(writing)))
    os.close(writing)
    for asked in _FORWARDED:
        signal.signal(asked, lambda number, _: os.kill(child, number))
    ended = os.pidfd_open(child)
    if not _ends_by_itself(ended, reading, patience_s, start_s):
        logger.critical("A process stands still and is killed", extra={"pid": child})
        os.kill(child, signal.SIGKILL)
        # One in the hands of a dead disk does not even die; it is not waited for.
        if not select.select([ended], [], [], _BURIED_WITHIN_S)[0]:
            return 1
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_until_stopped(work: Callable[[Event, GoOn], None], *, patience_s: float) -> NoReturn:
    """Run ``work`` watched, until SIGTERM or Ctrl-C sets the event that it is given; then exit."""

    def serve(go_on: GoOn) -> int:
        stop = Event()
        for asked in (signal.SIGTERM, signal.SIGINT):
            signal.signal(asked, lambda *_: stop.set())
        work(stop, go_on)
        return 0

    sys.exit(run_watched(serve, patience_s=patience_s, start_s=patience_s))


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel end this process with the one that forked it, which is ``parent``."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:  # it ended in between
        os._exit(1)


@contextmanager
def death_with_parent_kept() -> Iterator[None]:
    """Go on dying with the parent after a change of rights, at which the kernel forgets it.

    It does so at each of them (prctl(2), PR_SET_PDEATHSIG), those to files included. For a thread.
    """
    libc, asked, parent = ctypes.CDLL(None), ctypes.c_int(), os.getppid()
    libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(asked))
    try:
        yield
    finally:
        if asked.value:
            libc.prctl(_PR_SET_PDEATHSIG, asked.value)
            if os.getppid() != parent:  # it ended meanwhile, and nobody told
                os.kill(os.getpid(), asked.value)


def become(work: Callable[[], int]) -> NoReturn:
    """Do ``work`` in a process that was just forked, and end without the parent's remaining stack.

    At once, for an exit as usual would wait for the child's own children and never come.
    """
    status = 1
    try:
        status = work()
    except BaseException:
        logger.critical("A process ended by surprise", exc_info=True)
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _say(writing: int) -> None:
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(writing, b".")


def _ends_by_itself(ended: int, reading: int, patience_s: float, start_s: float) -> bool:
    """Wait for the end, or for a silence; tell which it was."""
    silent_at = time.monotonic() + start_s
    while True:
        ready, _, _ = select.select([ended, reading], [], [], max(silent_at - time.monotonic(), 0))
        now = time.monotonic()
        if ended in ready:
            return True
        if ready and os.read(reading, 4096):
            silent_at = now + patience_s
        elif now > silent_at + _LATE_S:
            silent_at = now + patience_s  # all of the machine stood still, this process too
        elif now >= silent_at:
            return False
