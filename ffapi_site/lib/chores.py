"""What goes on for as long as its process: nothing that a single item does may end it.

A `Chore` is what a loop does again and again, `Items` what a chore does to each of many, and
`spawn` the thread that a loop lives in. What fails is logged with its traceback, rests for longer
each time, and holds up nothing else. Where going on is of no use the process ends, so that its
supervisor starts a fresh one.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from django.db import connection

from ffapi_site.lib.backoff import doubled_s
from ffapi_site.lib.database_away import DATABASE_TROUBLE, database_away

logger = logging.getLogger(__name__)

# A database that is away is nobody's fault, and mended elsewhere: worth a look every few seconds.
_AWAY_REST_S: Final = 3.0
_FIRST_REST_S: Final = 1.0
_LONGEST_REST_S: Final = 300.0
_MOST_ITEMS: Final = 10_000
_ATTENDED_EVERY_S: Final = 3.0
_FINISHED_WITHIN_S: Final = 5.0

T = TypeVar("T")


class Chore:
    """Something to do again and again, every ``every_s`` seconds; whatever it raises ends nothing.

    With ``vital_s`` the process ends where it has only failed for so long: without this one all
    else is of no use, and a fresh process may do better.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Any],
        *,
        every_s: float = 0.0,
        longest_rest_s: float = _LONGEST_REST_S,
        vital_s: float = math.inf,
    ) -> None:
        self.name = name
        self.trouble = ""
        """What it failed with the last time; empty where it did not."""
        self._work = work
        self._every_s = every_s
        self._longest_rest_s = longest_rest_s
        self._vital_s = vital_s
        self._failures = 0
        self._succeeded_at = time.monotonic()
        self._due_at = -math.inf

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._due_at

    @property
    def rest_s(self) -> float:
        """How long it is to be left alone."""
        return max(self._due_at - time.monotonic(), 0.0)

    def do(self) -> Any:
        """Do it now; gives what it gives, or None where it failed."""
        try:
            given = self._work()
        except Exception as error:
            self._has_failed(error)
            extra = {"chore": self.name, "failures": self._failures, "again_in_s": self.rest_s}
            if database_away(error):
                logger.warning("The database is away", extra={"chore": self.name})
            else:
                logger.exception("A chore failed", extra=extra)
            if isinstance(error, DATABASE_TROUBLE):
                connection.close()
        else:
            self._failures, self.trouble = 0, ""
            self._succeeded_at = time.monotonic()
            self._due_at = self._succeeded_at + self._every_s
            return given
        return None

    def _has_failed(self, error: Exception) -> None:
        now = time.monotonic()
        if now - self._succeeded_at > self._vital_s:
            end_process(f"{self.name} has failed for {now - self._succeeded_at:.0f} s")
        self._failures += 1
        self.trouble = type(error).__name__
        first_s = max(self._every_s, _FIRST_REST_S)
        rest_s = doubled_s(first_s, self._failures, longest_s=max(self._longest_rest_s, first_s))
        self._due_at = now + (_AWAY_REST_S if database_away(error) else rest_s)


def keep_doing(chore: Chore, stop: threading.Event, *, pause_s: float) -> None:
    """Do it until ``stop``: at once again where it gives something true, else after ``pause_s``."""
    while not stop.is_set():
        if not chore.do():
            stop.wait(chore.rest_s or pause_s)


class _Doing(threading.local):
    """The rounds that this thread is in the middle of: a chore may be a round itself."""

    def __init__(self) -> None:
        self.rounds: list[Round] = []


_DOING = _Doing()


def go_on() -> None:
    """Say, in the middle of a chore, that it does not stand still: its patience begins anew."""
    for each in _DOING.rounds:
        each.has_gone_on()


class Round:
    """Chores that one thread does in turn, each when it is due.

    The patience is for a chore, or for the time between two of its words that it goes on: `Items`
    say so with each.
    """

    def __init__(self, name: str, chores: Sequence[Chore], *, patience_s: float) -> None:
        self.name = name
        self.chores = chores
        self._patience_s = patience_s
        self._doing: tuple[str, float] | None = None

    def do_due(self) -> None:
        _DOING.rounds.append(self)
        try:
            for chore in self.chores:
                if chore.is_due:
                    self._doing = chore.name, time.monotonic()
                    go_on()
                    chore.do()
        finally:
            _DOING.rounds.remove(self)
            self._doing = None

    def has_gone_on(self) -> None:
        if self._doing is not None:
            self._doing = self._doing[0], time.monotonic()

    @property
    def hangs_in(self) -> str:
        """The chore that takes longer than the patience; empty where none does."""
        doing = self._doing
        if doing is None or time.monotonic() - doing[1] < self._patience_s:
            return ""
        return doing[0]

    @property
    def troubles(self) -> dict[str, str]:
        return {chore.name: chore.trouble for chore in self.chores if chore.trouble}

    def keep_doing(self, stop: threading.Event, *, pause_s: float, is_rare: bool = False) -> None:
        """Do what is due until ``stop``; one that ``is_rare`` holds no connection in between."""
        while not stop.is_set():
            self.do_due()
            if is_rare:
                connection.close()
            stop.wait(pause_s)


class Items:
    """Does something to each of many: one that fails is said, and left alone for a while."""

    def __init__(
        self, name: str, *, rest_s: float = 60.0, longest_rest_s: float = 6 * 3600.0
    ) -> None:
        self._name = name
        self._rest_s = rest_s
        self._longest_rest_s = longest_rest_s
        self._failed: dict[Hashable, tuple[int, float]] = {}

    def each(
        self,
        items: Iterable[T],
        work: Callable[[T], Any],
        *,
        key: Callable[[T], Hashable] = str,
        on_failure: Callable[[T], Any] = lambda _: None,
    ) -> int:
        """Give the number of those that it was done to, where ``work`` does not say False.

        A database that is away is nobody's own: that is raised. What it refuses, or takes too long
        for, is the item's. ``on_failure`` may write down which ones were left.
        """
        return sum(self._one(item, work, key(item), on_failure) for item in items)

    @property
    def left(self) -> list[Hashable]:
        """The keys of those that failed when they were last tried, the oldest first."""
        return list(self._failed)

    def _may_try(self, key: Hashable) -> bool:
        return time.monotonic() >= self._failed.get(key, (0, -math.inf))[1]

    def _one(
        self, item: T, work: Callable[[T], Any], key: Hashable, on_failure: Callable[[T], Any]
    ) -> bool:
        if not self._may_try(key):
            return False
        go_on()
        try:
            done = work(item) is not False
        except Exception as error:
            if database_away(error):
                raise
            extra = {"chore": self._name, "item": str(key), "again_in_s": self._note(key)}
            logger.exception("An item of a chore failed", extra=extra)
            on_failure(item)
            return False
        self._failed.pop(key, None)
        return done

    def _note(self, key: Hashable) -> float:
        failures = self._failed.pop(key, (0, 0.0))[0] + 1
        rest_s = doubled_s(self._rest_s, failures, longest_s=self._longest_rest_s)
        self._failed[key] = failures, time.monotonic() + rest_s
        if len(self._failed) > _MOST_ITEMS:
            del self._failed[next(iter(self._failed))]  # the one that failed longest ago
        return rest_s


def spawn(name: str, body: Callable[[], Any]) -> threading.Thread:
    """Run ``body`` in a thread; where it ends by an exception the process ends with it."""
    thread = threading.Thread(target=_or_end, args=(name, body), daemon=True, name=name)
    thread.start()
    return thread


def _or_end(name: str, body: Callable[[], Any]) -> None:
    try:
        body()
    except BaseException:
        logger.critical("A thread ended that must not", extra={"chore": name}, exc_info=True)
        end_process(f"the thread {name} ended")


def attend(
    rounds: Sequence[Round], stop: threading.Event, go_on: Callable[[], None], *, pause_s: float
) -> None:
    """Keep each of ``rounds`` going in a thread of its own until ``stop``, and watch over them.

    ``go_on`` is called for as long as none of them hangs; where one does the process ends.
    """

    def keep_doing(each: Round) -> None:
        each.keep_doing(stop, pause_s=pause_s)
        connection.close()  # the thread's own

    threads = [spawn(each.name, partial(keep_doing, each)) for each in rounds]
    while not stop.is_set():
        require_progress(rounds)
        go_on()
        stop.wait(_ATTENDED_EVERY_S)
    for thread in threads:  # what is begun is finished, where that takes no time
        thread.join(_FINISHED_WITHIN_S)


def require_progress(rounds: Iterable[Round]) -> None:
    """End the process where a chore of one of ``rounds`` never ends."""
    for each in rounds:
        if each.hangs_in:
            end_process(f"the chore {each.hangs_in} does not end")


def end_process(why: str) -> None:
    """End this process at once, whatever its threads and children are at."""
    logger.critical("The process ends itself", extra={"why": why})
    for handler in logging.getLogger().handlers:
        handler.flush()
    os._exit(1)
