from __future__ import annotations

import logging
import time
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.humanhash import uuid
from django_q.signing import SignedPackage

from media_jobs.engine import wakeups
from media_jobs.events.change_feed import direct_connection
from media_jobs.host import slot_state

logger = logging.getLogger(__name__)

_WAIT_S = 1.0  # how long `dequeue` may block: the pusher looks for its stop event in between

_TAKE = """
DELETE FROM django_q_ormq WHERE id = (
    SELECT id FROM django_q_ormq WHERE key = %s ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id
"""


_PUT = """
WITH token AS (
    INSERT INTO django_q_ormq (key, payload, lock)
    VALUES (%s, %s, statement_timestamp()) RETURNING id
)
SELECT id, pg_notify(%s, '') FROM token
"""


def channel(lane: str) -> str:
    return f"ffapi_lane_{lane}"


class TokenBroker(ORM):  # type: ignore[misc]  # django-q2 has no types
    """django-q2's ORM broker with tokens that are taken once and waited for, not polled.

    A token only says that its lane may have work, so it is deleted as it is taken: a lost one
    costs seconds (housekeeping makes a new one), never a job. What else is written in it is not
    read: django-q2's messages are pickles, and who could sign one could run anything here.
    """

    _listener: psycopg.Connection[Any] | None = None

    def enqueue(self, task: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(_PUT, [self.list_key, task, channel(self.list_key)])
            return int(cursor.fetchone()[0])

    def dequeue(self) -> list[tuple[int, str]] | None:
        slot_state.pusher_at.value = time.monotonic()
        if slot_state.unfit.is_set():
            time.sleep(_WAIT_S)  # others may use the token
            return None
        if not slot_state.free.acquire(timeout=_WAIT_S):
            return None
        token: int | None = None
        try:
            token = self._take()
            if token is None:
                token = self._wait_and_take()
        except psycopg.OperationalError:
            logger.warning("The queue is away", extra={"lane": self.list_key})
            self.close()
            time.sleep(_WAIT_S)
        finally:
            if token is None:
                slot_state.free.release()
            else:
                slot_state.taken_at.value = time.monotonic()
        return None if token is None else [(token, self._task())]

    def acknowledge(self, task_id: int) -> None:
        """Nothing is left to delete."""

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _task(self) -> str:
        """As django-q2 wants to have it; it reads it in this very process."""
        name, number = uuid()
        task = {"id": number, "name": name, "func": wakeups.WORK, "args": (self.list_key,)}
        return str(SignedPackage.dumps(task | {"kwargs": {}, "started": timezone.now()}))

    def _take(self) -> int | None:
        row = self._listening().execute(_TAKE, [self.list_key]).fetchone()
        return None if row is None else int(row[0])

    def _wait_and_take(self) -> int | None:
        # To its end: the connection is locked for as long as the generator lives.
        woken = list(self._listening().notifies(timeout=_WAIT_S, stop_after=1))
        return self._take() if woken else None

    def _listening(self) -> psycopg.Connection[Any]:
        if self._listener is None or self._listener.closed:
            self._listener = direct_connection()
            # A token that a crash brings back costs one look at the queue: not worth a flush.
            self._listener.execute("SET synchronous_commit = off")
            self._listener.execute(f"LISTEN {channel(self.list_key)}")
        return self._listener
