"""Processes that tests look at, and copies of a test's own."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from ffapi_site.lib.watched import become
from tests.harness.server import eventually


def forked(work: Callable[[], object]) -> int:
    """Do ``work`` in a copy of this process, which ends with it whatever it raises; give its id."""

    def done() -> int:
        work()
        return 0

    child = os.fork()
    if child == 0:
        become(done)
    return child


def become_user(name: str) -> None:
    """Have this process, a copy of a test's own that root runs, be another user of the machine."""
    user = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def exit_status(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def is_dead(process: psutil.Process) -> bool:
    """Also where whoever has adopted it has not yet looked: a zombie is no process any more."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def stop(process: psutil.Process) -> None:
    """Have it stand still, and see that it does: a signal comes when its receiver has a CPU."""
    process.suspend()
    still = {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}
    assert eventually(lambda: process.status() in still, within_s=60)


@contextmanager
def frozen(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """Have them stand still; one that was about to end does so before, or when it may go on."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            stop(process)
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def kill(process: psutil.Process) -> None:
    """Kill it and see it dead. Not by ``wait``, which a zombie of somebody else's keeps waiting."""
    process.kill()
    assert eventually(lambda: is_dead(process), within_s=60)
