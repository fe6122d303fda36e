"""Every address there is, found by walking the URL configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.views import View

from accounts.web.api_view import TenantAPIView
from accounts.web.page import Page
from accounts.web.person_page import PersonPage

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


class Kind(Enum):
    API = TenantAPIView
    """For a key that holds the scope."""
    PAGE = Page
    """For a person whose role in a tenant holds the scope."""
    PERSON = PersonPage
    """For whoever is signed in, about themselves."""


@dataclass(frozen=True)
class Route:
    path: str
    view: type[View] | None
    name: str

    @property
    def kind(self) -> Kind | None:
        """Whose it is by the base of its view; None is for what says so in ``OPEN``."""
        view = self.view
        return next((each for each in Kind if view and issubclass(view, each.value)), None)

    @property
    def parameters(self) -> list[str]:
        return _PARAMETER.findall(self.path)

    def at(self, **values: str) -> str:
        return _PARAMETER.sub(lambda found: values[found[1]], self.path)

    def scope(self, method: str) -> str:
        """What the view's declaration asks for, an empty one for nothing."""
        scopes: dict[str, str] = getattr(self.view, "scopes", {})
        return scopes.get("GET" if method == "HEAD" else method, "")

    def takes(self, method: str) -> bool:
        """Is there a handler of ours? OPTIONS only tells what there is for all alike."""
        if method == "OPTIONS":
            return False
        names = getattr(self.view, "http_method_names", ())
        handler = "get" if method == "HEAD" else method.lower()
        return method.lower() in names and hasattr(self.view, handler)


def routes(patterns: Any = None, before: str = "/") -> Iterator[Route]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "view_class", None)
            yield Route(path, view, pattern.name or path)


ADMIN = "/admin/"
ROUTES = {route.path: route for route in routes() if not route.path.startswith(ADMIN)}
ADMIN_ROUTES = [route for route in routes() if route.path.startswith(ADMIN)]
