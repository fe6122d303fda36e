from __future__ import annotations

from django.db import connections


def release_connections() -> None:
    """Hand the database connection back before waiting for the outside.

    A pool of them serves all requests; one that waits for a client must not hold any. The next
    query takes one again. Inside a transaction nothing happens.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
