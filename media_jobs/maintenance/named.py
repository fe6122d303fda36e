"""Chores of the whole installation: one host does each at a time, and what came of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

from ffapi_site.lib.chores import Chore
from ffapi_site.lib.database_away import database_away
from media_jobs.host import machine

# The first half of each chore's advisory lock; the second is its name's hash.
_LOCKS = 0x46464150
# Another host counts as late where it has not done a chore for so many of its intervals.
_LATE_AFTER = 1.5


def named(
    name: str, work: Callable[[], Any], *, every_s: float, longest_rest_s: float = 300.0
) -> Chore:
    """A chore that no two programs do at once; what came of it is a `MaintenanceChore`."""
    alone = _Alone(name, work, every_s)
    return Chore(name, alone.do, every_s=every_s, longest_rest_s=longest_rest_s)


@dataclass(frozen=True)
class _Alone:
    name: str
    work: Callable[[], Any]
    every_s: float

    def do(self) -> Any:
        """Do it, unless another host does, or has just done so."""
        with self._locked() as is_ours:
            if not is_ours or self._is_done_by_another():
                return None
            return self._done()

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        lock = (_LOCKS, self.name)
        with connection.cursor() as cursor:
            # The session's, not a transaction's; PostgreSQL lets go of it where the process dies.
            cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", lock)
            is_ours = bool(cursor.fetchone()[0])
        try:
            yield is_ours
        finally:
            if is_ours:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", lock)

    def _is_done_by_another(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(_DONE_BY_ANOTHER, (self.name, machine.name(), _LATE_AFTER))
            return cursor.fetchone() is not None

    def _done(self) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            began_at = cursor.fetchone()[0]
        try:
            given = self.work()
        except Exception as error:
            if not database_away(error):
                self._note(began_at, type(error).__name__)
            raise
        self._note(began_at, "")
        return given

    def _note(self, began_at: Any, trouble: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                _NOTE,
                {
                    "name": self.name,
                    "every_s": self.every_s,
                    "host": machine.name(),
                    "began_at": began_at,
                    "trouble": trouble[:100],
                },
            )


_DONE_BY_ANOTHER = """
SELECT FROM media_jobs_maintenancechore
WHERE name = %s AND host <> %s
  AND began_at > clock_timestamp() - make_interval(secs => every_s * %s)
"""
_NOTE = """
INSERT INTO media_jobs_maintenancechore AS kept
    (name, every_s, host, began_at, took_s, succeeded_at, failures, trouble)
VALUES (%(name)s, %(every_s)s, %(host)s, %(began_at)s,
    extract(epoch FROM clock_timestamp() - %(began_at)s),
    CASE WHEN %(trouble)s = '' THEN clock_timestamp() END, (%(trouble)s <> '')::int, %(trouble)s)
ON CONFLICT (name) DO UPDATE SET
    every_s = excluded.every_s, host = excluded.host, began_at = excluded.began_at,
    took_s = excluded.took_s, trouble = excluded.trouble,
    succeeded_at = coalesce(excluded.succeeded_at, kept.succeeded_at),
    failures = CASE WHEN excluded.trouble = '' THEN 0 ELSE kept.failures + 1 END
"""
