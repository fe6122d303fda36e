"""What takes long in a web process: so much of a kind at once, and less of it for one tenant.

Each holds a thread, a process or a socket for as long as a client or a far end likes. A tenant at
its own bound leaves places for the others; the counts are those of one process.
"""

from __future__ import annotations

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


class Places:
    """The places of one kind, as ``AT_ONCE`` and ``AT_ONCE_PER_TENANT`` count them."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._changed = threading.Condition()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one_of(self, tenant_id: str, *, patience_s: float = 0.0) -> Iterator[None]:
        """Hold a place, waited for as long as ``patience_s``.

        Raises ``TooManyRequests`` where the tenant has as many as it may, ``Unavailable`` where
        all are taken.
        """
        deadline = time.monotonic() + patience_s
        with self._changed:
            while refusal := self._refusal(tenant_id):
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise refusal
                self._changed.wait(left_s)
            self._taken[tenant_id] += 1
        try:
            yield
        finally:
            self._give_back(tenant_id)

    def take(self, tenant_id: str) -> Place:
        """Take a place, for an answer that goes on after its request; raises as `one_of` does."""
        with self._changed:
            if refusal := self._refusal(tenant_id):
                raise refusal
            self._taken[tenant_id] += 1
        return Place(self, tenant_id)

    def taken(self, tenant_id: str) -> int:
        return self._taken[tenant_id]

    def _give_back(self, tenant_id: str) -> None:
        with self._changed:
            self._taken[tenant_id] -= 1
            if not self._taken[tenant_id]:
                del self._taken[tenant_id]
            self._changed.notify_all()

    def _refusal(self, tenant_id: str) -> Problem | None:
        of_one = settings.AT_ONCE_PER_TENANT[self._kind]
        if self._taken[tenant_id] >= of_one:
            detail = f"{of_one} {self._kind} at once are allowed"
            return TooManyRequests(detail, code="too_many_at_once", headers=_RETRY_AFTER)
        if self._taken.total() >= settings.AT_ONCE[self._kind]:
            detail = f"there are too many {self._kind} at once"
            return Unavailable(detail, code="busy", headers=_RETRY_AFTER)
        return None


UPLOADS = Places("uploads")
IMPORTS = Places("imports")
QUESTIONS = Places("questions")
PROBES = Places("probes")
STREAMS = Places("streams")
WAITS = Places("waits")
EXPORTS = Places("exports")
