"""What a test asks for and takes back, so that the next case finds everything as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.test import Client


@contextmanager
def undone(*clients: Client) -> Iterator[None]:
    """Undo what is done within: in the database, and to the cookies of these clients."""
    cookies = [dict(client.cookies) for client in clients]
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # views have outermost blocks
    try:
        with block:
            yield
            transaction.set_rollback(True)
    finally:
        for client, kept in zip(clients, cookies, strict=True):
            client.cookies.clear()
            client.cookies.update(kept)
