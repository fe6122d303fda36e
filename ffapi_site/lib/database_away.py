"""Is the database away, or did it refuse this one statement? The first passes, for everybody."""

from __future__ import annotations

from typing import Final

import psycopg
from django.db import InterfaceError, OperationalError

DATABASE_TROUBLE: Final = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
"""What says either: `database_away` tells which."""

# 57P01 to 57P05: it stops, has crashed, starts, or ended this connection. 53300: it has no more.
_AWAY_STATES: Final = ("08", "57P", "53300")


def database_away(error: BaseException) -> bool:
    """Tell whether ``error`` says that the server is away or the connection to it lost.

    What has no SQLSTATE came from no server: there was no connection, or none any more. A server
    that answered with another state is there, and so it is with a full disk, a deadlock, or a
    statement that took too long: whoever tries for ever then does so.
    """
    if not isinstance(error, DATABASE_TROUBLE):
        return False
    told = error if isinstance(error, psycopg.Error) else error.__cause__
    state = told.sqlstate if isinstance(told, psycopg.Error) else None
    return state is None or state.startswith(_AWAY_STATES)
