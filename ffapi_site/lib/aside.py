from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any, Final, TypeVar

TICK_S: Final = 0.5
"""How long a wait may last before whoever waits is asked whether to go on."""

T = TypeVar("T")


def aside(
    task: Callable[[], T],
    left_s: Callable[[], float],
    watch: Callable[[], object],
    late: Callable[[Future[T]], Any] = lambda _: None,
) -> T:
    """Run what can't be interrupted in a thread of its own, so that waiting for it can be.

    ``left_s`` is asked before each wait how long it may last, ``watch`` is called after it, at
    least twice a second; what they raise comes through, and the task is left to end by itself.
    ``late`` is then called with what came of it.
    """
    done: Future[T] = Future()
    Thread(target=_settle, args=(done, task), daemon=True, name="aside").start()
    try:
        while not wait([done], min(left_s(), TICK_S)).done:
            watch()
    except BaseException:
        done.add_done_callback(late)
        raise
    return done.result()


def attended(
    task: Callable[[], T],
    watch: Callable[[], object],
    *,
    within_s: float,
    late: Callable[[Future[T]], Any] = lambda _: None,
) -> T:
    """Run ``task`` as `aside` does and call ``watch`` at least twice a second meanwhile.

    Raises TimeoutError where it is not done ``within_s``: its disk may be gone, say.
    """
    until = time.monotonic() + within_s

    def left_s() -> float:
        if time.monotonic() > until:
            raise TimeoutError(f"it was not done within {within_s:.0f} s")
        return TICK_S

    return aside(task, left_s, watch, late)


def _settle(done: Future[T], task: Callable[[], T]) -> None:
    try:
        done.set_result(task())
    except BaseException as error:  # noqa: BLE001 -- it is raised where the result is awaited
        done.set_exception(error)
