from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections


@contextmanager
def superuser() -> Iterator[psycopg.Cursor[Any]]:
    """Give a cursor of somebody whom neither grants nor triggers stop; it commits at the end."""
    settings = connections["default"].settings_dict
    with (
        psycopg.connect(
            dbname=settings["NAME"], host=settings["HOST"], user=settings["OWNER"]["USER"]
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SET session_replication_role = replica")
        yield cursor
