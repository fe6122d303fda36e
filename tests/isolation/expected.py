"""What each answer must be, from what the views declare."""

from __future__ import annotations

import re
from typing import Any

from accounts.roles import allows
from tests.isolation.actors import Actor
from tests.isolation.routes import Kind, Route

# Pages that ask for a scope by themselves, because staff may look without one.
_ASKED_INSIDE = {"/audit": "audit:read", "/audit/export": "audit:read"}
# What there is for staff, and not for others, or for who has a token that FIXED is none of.
NOT_THERE = {
    "/tenant": 404,
    "/profile/address/<str:token>": 404,
    "/staff/authenticators": 403,
    "/v1/audit-log/checkpoints/latest": 404,
}
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"')
# What tells how often somebody asked, when, and in which session.
_FLEETING = {"RateLimit", "Set-Cookie", "Date", "Expires"}


def told(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    """An answer as somebody compares it who looks for differences."""
    content = b"" if answer.streaming else _TOKEN.sub(b"", answer.content)
    kept = {name: value for name, value in answer.headers.items() if name not in _FLEETING}
    return answer.status_code, content, kept


def is_stranger(route: Route, actor: Actor) -> bool:
    return route.kind not in actor.speaks_to


def turned_away(route: Route, actor: Actor, method: str, answer: Any) -> str | None:
    """Say what is wrong with how a stranger, or who lacks the scope, is answered.

    Who is neither is answered by what the id names; then this is None too, and ``is_through``.
    """
    status = answer.status_code
    if is_stranger(route, actor):
        if route.kind is Kind.API:
            return None if status == 401 else f"{status}, not 401"
        goes_in = status == 302 and answer["Location"].startswith("/login")
        asks_to = status == 200 and not answer.content and "HX-Refresh" in answer.headers
        return None if goes_in or asks_to else f"{status}, not the sign-in"
    if not has_scope(route, actor, method):
        return None if status == 403 else f"{status}, not 403"
    if not route.takes(method):
        return None if status in {200, 405} else f"{status}, not 405"
    return None


def has_scope(route: Route, actor: Actor, method: str) -> bool:
    scope = route.scope(method)
    if not scope and not actor.reads_everything:
        scope = _ASKED_INSIDE.get(route.path, "") if route.takes(method) else ""
    return not scope or allows(actor.scopes, scope)


def is_through(route: Route, actor: Actor, method: str) -> bool:
    """Does the answer depend on the id?"""
    known = not is_stranger(route, actor) and has_scope(route, actor, method)
    return known and route.takes(method)


def granted(route: Route, actor: Actor, method: str, answer: Any) -> str | None:
    """Say what is wrong with the answer about the actor's own."""
    status = answer.status_code
    if "session_id" in route.parameters and not actor.is_whose:
        return None if status == 404 else f"{status}, not 404 for a colleague's"
    if actor.reads_everything and method not in {"GET", "HEAD"}:
        # Without a tenant to act for everything is read-only.
        return None if status < 500 else f"{status}"
    if status == NOT_THERE.get(route.path):
        return None
    return f"{status} for their own" if status in {401, 403, 404, 405} or status >= 500 else None
