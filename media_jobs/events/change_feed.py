"""Who waits for a change of a job is woken by it: one LISTEN connection for the whole process."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from ffapi_site.lib.chores import Chore, Items, spawn
from media_jobs.events import Event

Wake = Callable[[], object]

# On it the id of each job is told whose row has changed.
CHANNEL = "ffapi_jobs"

_LOOKS_UP_EVERY_S = 1.0
_IDLE_FOR_S = 30.0


def announce(event: Event) -> None:
    """Wake those who wait for a change of the event's job, once its transaction is committed."""
    if event.job is not None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, event.job.pk])


def direct_connection() -> psycopg.Connection[Any]:
    """Open a connection of its own, outside Django's pool: LISTEN holds it for long."""
    params = connection.get_connection_params()
    known = {name: params[name] for name in params if name not in ("cursor_factory", "context")}
    return psycopg.connect(**known, autocommit=True)


class ChangeFeed:
    """Fans the notifications of the job channel out to whoever waits in this process.

    A wake-up only says "look again": they may be doubled, and after a lost connection everybody is
    woken. So subscribe first, then look. Who waits should still look now and then, for the time
    that the database is away.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Wake]] = defaultdict(list)
        self._thread: threading.Thread | None = None
        self._is_closing = False

    @contextmanager
    def on_change(self, job_id: str, wake: Wake) -> Iterator[None]:
        """Call ``wake``, from another thread, at each change of the job from here on."""
        with self._lock:
            if self._thread is None:
                self._is_closing = False
                self._thread = spawn("changes", self._run)  # it waits for the lock
            # Only now: where no thread could be started nobody would take it away again.
            self._waiting[job_id].append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._waiting[job_id].remove(wake)
                if not self._waiting[job_id]:
                    del self._waiting[job_id]

    def close(self) -> None:
        """End the thread and its connection; the next ``on_change`` starts them again."""
        self._is_closing = True
        if thread := self._thread:
            thread.join()

    def _run(self) -> None:
        feed = Chore("change feed", self._listen_anew)
        while self._is_wanted():
            feed.do()
            if feed.trouble:
                time.sleep(_LOOKS_UP_EVERY_S)

    def _listen_anew(self) -> None:
        with direct_connection() as listener:
            self._listen(listener)

    def _listen(self, listener: psycopg.Connection[Any]) -> None:
        listener.execute(f"LISTEN {CHANNEL}")
        self._tell(None)  # of what came before, nobody was told
        last_wanted = time.monotonic()
        while not self._is_closing and time.monotonic() < last_wanted + _IDLE_FOR_S:
            for notice in listener.notifies(timeout=_LOOKS_UP_EVERY_S):
                self._tell(notice.payload)
                if self._is_closing:
                    return
            if self._waiting:
                last_wanted = time.monotonic()

    def _is_wanted(self) -> bool:
        with self._lock:
            if self._waiting and not self._is_closing:
                return True
            self._thread = None  # whoever comes next starts another
            return False

    def _tell(self, job_id: str | None) -> None:
        with self._lock:
            if job_id is None:
                wakes = [wake for waiting in self._waiting.values() for wake in waiting]
            else:
                wakes = list(self._waiting.get(job_id, ()))
        # One who is gone, with the loop that would be woken, say, holds up nobody else.
        Items("wake", rest_s=0).each(wakes, lambda wake: wake())


feed = ChangeFeed()
