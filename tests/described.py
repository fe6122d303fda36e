"""Every answer of the API that a test gets is held against the description of the API."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import Resolver404, get_resolver
from drf_spectacular.generators import SchemaGenerator

_API = "/v1/"
# Any address answers so, whatever it is for; and a fault of ours is described nowhere.
_OF_ANY = (405, 500)


@cache
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call,no-any-return]


def described(route: str, method: str) -> dict[str, Any] | None:
    """What the description says of a method of one of Django's routes; None where nothing."""
    path = "/" + route.replace("<str:", "{").replace("<path:", "{").replace(">", "}")
    said: dict[str, Any] | None = document()["paths"].get(path, {}).get(method.lower())
    return said


def undescribed(method: str, path: str, answer: HttpResponseBase) -> str | None:
    """Say what of an answer the description does not know; None where all is well."""
    if not path.startswith(_API) or answer.status_code in _OF_ANY:
        return None
    try:
        route = get_resolver().resolve(path).route
    except Resolver404:
        return None
    operation = described(route, "GET" if method == "HEAD" else method)
    if operation is None:
        return None
    known = operation["responses"]
    told = f"{method} {route} answered {answer.status_code}"
    if str(answer.status_code) not in known:
        return told
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    kinds = known[str(answer.status_code)].get("content", {})
    has_body = method != "HEAD" and not 300 <= answer.status_code < 400
    if not has_body or kind in kinds or "*/*" in kinds or not (kind or kinds):
        return None
    return f"{told} with {kind or 'nothing'}, described: {', '.join(kinds) or 'nothing'}"
