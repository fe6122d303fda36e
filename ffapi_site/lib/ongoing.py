"""What takes long in a web process: so much of a kind at once, and less of it for one tenant.

Each holds a thread, a process or a socket for as long as a client or a far end likes. A tenant may
hold so many, and never more than are still free: the fewer there are, the less of them it gets, so
that a few busy ones leave some to the next. The counts are those of one process.
"""

from __future__ import annotations

import itertools
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import StreamingHttpResponse

from ffapi_site.lib.problems import Problem, TooManyRequests, Unavailable

_RETRY_AFTER = {"Retry-After": "5"}


class Place:
    """One that an answer holds beyond its request; given back once, by whoever comes first.

    Nobody need: a client may leave before its answer was begun, and then nothing closes that.
    """

    def __init__(self, places: Places, tenant_id: str) -> None:
        self._finalizer = weakref.finalize(self, places._give_back, tenant_id)  # noqa: SLF001

    def give_back(self) -> None:
        self._finalizer()

    def go_with(self, response: StreamingHttpResponse) -> None:
        """Be given back when ``response`` is closed, or is no more."""
        closers = response._resource_closers  # type: ignore[attr-defined]  # noqa: SLF001
        closers.append(self.give_back)  # as Django does with what the answer is read from


class _Asked:
    """Somebody who wants a place now."""

    def __init__(self, tenant_id: str) -> None:
        self.tenant_id = tenant_id


class Places:
    """The places of one kind, as ``AT_ONCE`` and ``AT_ONCE_PER_TENANT`` count them.

    Of those who wait the next is of the tenant that holds the fewest, then of the one whose last
    turn is longest ago: however many wait for one tenant, each other one is soon served.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._changed = threading.Condition()
        self._taken: Counter[str] = Counter()
        self._waiting: list[_Asked] = []
        self._last_turns: dict[str, int] = {}
        """Of each tenant, for as long as somebody waits."""
        self._turns = itertools.count(1)

    @contextmanager
    def one_of(self, tenant_id: str, *, patience_s: float = 0.0) -> Iterator[None]:
        """Hold a place, waited for as long as ``patience_s``.

        Raises ``TooManyRequests`` where the tenant has as many as it may, ``Unavailable`` where
        all are taken.
        """
        self._enter(tenant_id, patience_s)
        try:
            yield
        finally:
            self._give_back(tenant_id)

    def take(self, tenant_id: str) -> Place:
        """Take a place, for an answer that goes on after its request; raises as `one_of` does."""
        self._enter(tenant_id, 0.0)
        return Place(self, tenant_id)

    def taken(self, tenant_id: str) -> int:
        return self._taken[tenant_id]

    def _enter(self, tenant_id: str, patience_s: float) -> None:
        asked, deadline = _Asked(tenant_id), time.monotonic() + patience_s
        with self._changed:
            self._waiting.append(asked)
            try:
                while refusal := self._refusal(asked):
                    left_s = deadline - time.monotonic()
                    if left_s <= 0:
                        raise refusal
                    self._changed.wait(left_s)
                self._taken[tenant_id] += 1
                self._last_turns[tenant_id] = next(self._turns)
            finally:
                self._waiting.remove(asked)
                if not self._waiting:
                    self._last_turns.clear()
                self._changed.notify_all()  # it may be another one's turn now

    def _give_back(self, tenant_id: str) -> None:
        with self._changed:
            self._taken[tenant_id] -= 1
            if not self._taken[tenant_id]:
                del self._taken[tenant_id]
            self._changed.notify_all()

    def _refusal(self, asked: _Asked) -> Problem | None:
        of_one = settings.AT_ONCE_PER_TENANT[self._kind]
        if self._taken[asked.tenant_id] >= of_one:
            detail = f"{of_one} {self._kind} at once are allowed"
            return TooManyRequests(detail, code="too_many_at_once", headers=_RETRY_AFTER)
        if asked is not self._next():
            detail = f"there are too many {self._kind} at once"
            return Unavailable(detail, code="busy", headers=_RETRY_AFTER)
        return None

    def _next(self) -> _Asked | None:
        """Whose turn it is; None where there is no place for any of those who wait."""
        of_one = settings.AT_ONCE_PER_TENANT[self._kind]
        free = settings.AT_ONCE[self._kind] - self._taken.total()
        most = min(of_one, free)
        fit = [each for each in self._waiting if self._taken[each.tenant_id] < most]
        return min(fit, key=self._order, default=None)

    def _order(self, asked: _Asked) -> tuple[int, int]:
        return self._taken[asked.tenant_id], self._last_turns.get(asked.tenant_id, 0)


UPLOADS = Places("uploads")
IMPORTS = Places("imports")
QUESTIONS = Places("questions")
PROBES = Places("probes")
STREAMS = Places("streams")
WAITS = Places("waits")
EXPORTS = Places("exports")
