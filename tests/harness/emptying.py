"""What a test with transactions of its own has left in the tables is taken out again."""

from __future__ import annotations

from typing import Any

from django.db import connection
from psycopg import Cursor, sql

from tests.harness.superuser import superuser

# A test that left a transaction open, or a thread at work, fails here, and not the next one.
_WRITERS_END_WITHIN = "30s"


class Tables:
    """Those of the models, as they are in the new database."""

    def __init__(self) -> None:
        names = connection.introspection.django_table_names(only_existing=True, include_views=False)
        with superuser() as cursor:
            # What migrations wrote is there for every test: kinds of content, permissions.
            self._names = sorted(set(names) - set(_with_rows(cursor, names)))

    def empty(self) -> None:
        """Delete the rows of those that have some.

        TRUNCATE makes the files of all the tables anew, which takes a third of a second.
        """
        with superuser() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute(f"SET LOCAL lock_timeout = '{_WRITERS_END_WITHIN}'")
            names = sql.SQL(", ").join(map(sql.Identifier, self._names))
            cursor.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(names))
            for name in _with_rows(cursor, self._names):
                cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))


def _with_rows(cursor: Cursor[Any], names: list[str]) -> list[str]:
    asked = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(name, sql.Identifier(name))
        for name in names
    )
    return [name for (name,) in cursor.execute(asked).fetchall()]
