"""Who acts: known from the start of a request, or of a process, to the audit log at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ffapi_site.lib.client_address import client_address
from ffapi_site.lib.request_id import request_id

USER_AGENT_LENGTH = 300


class Kind(StrEnum):
    ANONYMOUS = "anonymous"
    API_KEY = "api_key"
    USER = "user"
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    kind: Kind
    id: str = ""
    name: str = ""
    """As a person would know it; personal data."""
    ip_address: str = ""
    user_agent: str = ""
    request_id: str = ""
    reason: str = ""
    """Why staff act for a tenant."""


_acting: ContextVar[Actor | None] = ContextVar("actor", default=None)


def current() -> Actor:
    """Who acts here; outside a request it is the installation itself."""
    return _acting.get() or Actor(Kind.SYSTEM)


def identify(kind: Kind, actor_id: str, name: str) -> None:
    """Say who sends the request that is being answered, now that it is known."""
    _acting.set(replace(current(), kind=kind, id=actor_id, name=name))


def explain(reason: str) -> None:
    """Say why staff do what they do next: every record of it names the reason."""
    _acting.set(replace(current(), reason=reason))


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)


class ActorMiddleware:
    """A request's actor is a stranger until somebody says otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        stranger = Actor(
            Kind.ANONYMOUS,
            ip_address=client_address(request),
            user_agent=request.headers.get("User-Agent", "")[:USER_AGENT_LENGTH],
            request_id=request_id(request),
        )
        with acting(stranger):
            return self.get_response(request)
