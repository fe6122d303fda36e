from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, cast

from django.db import connections

if TYPE_CHECKING:
    from ffapi_site.database.base import DatabaseWrapper


def wrapper(alias: str = "default") -> DatabaseWrapper:
    return cast("DatabaseWrapper", connections[alias])


def as_owner() -> AbstractContextManager[None]:
    """Connect as the tables' owner for a while; what is only for migrations and the console."""
    return wrapper().as_owner()
