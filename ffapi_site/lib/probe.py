"""A question that may hang, asked so that whoever wants the answer does not hang with it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Probe(Generic[T]):
    """Asks in a thread of its own, once at a time however many want to know; shares the answer.

    A thread that hangs, on a dead disk say, goes on hanging, alone: until it comes back nobody
    asks again, and there is no answer.
    """

    def __init__(self, ask: Callable[[], T], *, fresh_for_s: float) -> None:
        self._ask = ask
        self._fresh_for_s = fresh_for_s
        self._changed = threading.Condition()
        self._answer: T | None = None
        self._stale_at = 0.0
        self._is_asking = False

    def begin(self) -> None:
        """Ask, unless it is being asked or was a moment ago.

        Where no thread can be had there is no answer, and the next one asks again.
        """
        with self._changed:
            if self._is_asking or time.monotonic() < self._stale_at:
                return
            self._is_asking = True
        try:
            threading.Thread(target=self._run, daemon=True, name="probe").start()
        except RuntimeError:
            logger.exception("A probe could not be asked")
            self._tell(None, fresh_for_s=0)

    def answer(self, *, until: float) -> T | None:
        """Give what was told after ``begin``; None where there is no answer by that time.

        ``until`` is of ``time.monotonic()``.
        """
        with self._changed:
            left_s = max(until - time.monotonic(), 0)
            return self._answer if self._changed.wait_for(self._is_answered, left_s) else None

    def _is_answered(self) -> bool:
        return not self._is_asking

    def _run(self) -> None:
        answer = None
        try:
            answer = self._ask()
        except Exception:  # nobody else would see it
            logger.exception("A probe failed")
        self._tell(answer, fresh_for_s=self._fresh_for_s)

    def _tell(self, answer: T | None, *, fresh_for_s: float) -> None:
        with self._changed:
            self._answer = answer
            self._stale_at = time.monotonic() + fresh_for_s
            self._is_asking = False
            self._changed.notify_all()
