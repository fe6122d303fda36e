"""Whose rows the running code may see: what PostgreSQL's row-level security compares with.

The net beneath ``for_tenant``: a query that forgets it finds the rows of the scope and no others.
A request begins with nobody's rows and enters a tenant's once it is known who asks; what acts for
every tenant (workers, commands, staff) says so, in one place each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

NOBODY: Final = ""
EVERY_TENANT: Final = "*"

_ambient = NOBODY
_entered: ContextVar[str | None] = ContextVar("scope", default=None)


def current() -> str:
    """A tenant's id, or one of the two constants."""
    entered = _entered.get()
    return _ambient if entered is None else entered


def enter(scope: str) -> None:
    """Go on within ``scope``, until whoever called ``within`` is left."""
    _entered.set(scope)


@contextmanager
def within(scope: str) -> Iterator[None]:
    """Be within ``scope`` for a while; whatever is entered meanwhile ends with it."""
    token = _entered.set(scope)
    try:
        yield
    finally:
        _entered.reset(token)


class ScopeMiddleware:
    """Every request begins with nobody's rows, whatever the process does besides."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with within(NOBODY):
            return self.get_response(request)


def act_for_every_tenant() -> None:
    """Let this process, all its threads, see every tenant's rows: it serves no strangers."""
    global _ambient  # noqa: PLW0603 -- a process is one or the other
    _ambient = EVERY_TENANT
