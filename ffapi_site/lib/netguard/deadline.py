from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from ffapi_site.lib.aside import TICK_S, aside
from ffapi_site.lib.netguard.policy import Refused

T = TypeVar("T")


class Deadline:
    """The whole time that one fetch may take, however often it is redirected or taken up again.

    ``on_wait`` is called at least twice a second while nothing comes, and `tick` calls it where
    little does; what it raises ends the fetch.
    """

    def __init__(self, seconds: float, on_wait: Callable[[], object] = lambda: None) -> None:
        self._ends_at = time.monotonic() + seconds
        self.on_wait = on_wait
        self._ticked_at = time.monotonic()

    def tick(self) -> None:
        """Call ``on_wait`` if the last time is a while ago."""
        if time.monotonic() - self._ticked_at >= TICK_S:
            self._ticked_at = time.monotonic()
            self.on_wait()

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

        def tidy(late: Future[T]) -> None:
            if late.exception() is None:
                discard(late.result())

        return aside(task, lambda: self.left(TICK_S), self.on_wait, tidy)
