"""Processes that tests look at and did not start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from tests.harness.server import eventually


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
