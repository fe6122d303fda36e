from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Final, TypeVar

from ffapi_site.lib.netguard.policy import Refused

TICK_S: Final = 0.5
"""How long a wait may last before its caller is asked whether to go on."""

T = TypeVar("T")


class Deadline:
    """The whole time that one fetch may take, however often it is redirected or taken up again.

    ``on_wait`` is called at least twice a second while nothing comes; what it raises ends the
    fetch.
    """

    def __init__(self, seconds: float, on_wait: Callable[[], object] = lambda: None) -> None:
        self._ends_at = time.monotonic() + seconds
        self.on_wait = on_wait

    def left(self, at_most: float | None) -> float:
        """Seconds that the next step may take; raises Refused when none are left."""
        remaining = self._ends_at - time.monotonic()
        if remaining <= 0:
            raise Refused("too_slow", "the server took too long")
        return remaining if at_most is None else min(remaining, at_most)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """End a part of the whole sooner."""
        whole = self._ends_at
        self._ends_at = min(whole, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._ends_at = whole

    def pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (pause_s := until - time.monotonic()) > 0:
            time.sleep(self.left(min(pause_s, TICK_S)))
            self.on_wait()

    def aside(self, task: Callable[[], T], discard: Callable[[T], object]) -> T:
        """Run what can't be interrupted in a thread, so that waiting for it can be.

        A result that comes when nobody waits for it any more is given to ``discard``.
        """
        done: Future[T] = Future()
        Thread(target=_settle, args=(done, task), daemon=True).start()
        try:
            return self._awaited(done)
        except BaseException:
            done.add_done_callback(lambda late: late.exception() or discard(late.result()))
            raise

    def _awaited(self, done: Future[T]) -> T:
        while True:
            try:
                return done.result(self.left(TICK_S))
            except TimeoutError:
                if done.done():  # then it is the task's own
                    raise
                self.on_wait()


def _settle(done: Future[T], task: Callable[[], T]) -> None:
    try:
        done.set_result(task())
    except BaseException as error:  # noqa: BLE001 -- it is raised where the result is awaited
        done.set_exception(error)
