"""Query parameters: each read once, in its own type, and refused by its name where wrong."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.http import QueryDict
from rest_framework.request import Request

from ffapi_site.lib.problems import FieldError, Invalid
from ffapi_site.lib.times import moment_of

_MAX_LENGTH = 300


def wrong(name: str, detail: str) -> Invalid:
    """The problem of a bad parameter; ``?name`` stands where a body has its JSON Pointer."""
    return Invalid(f"{name}: {detail}", errors=[FieldError(f"?{name}", detail, "invalid")])


def only(request: Request, names: Collection[str]) -> None:
    """Refuse parameters that nobody reads: a misspelt filter must not answer with everything."""
    for name in request.query_params:
        if name not in names:
            printable = name.encode("ascii", "backslashreplace").decode()[:50]
            known = f"known are {', '.join(sorted(names))}" if names else "none is read here"
            raise wrong(printable, f"unknown; {known}")


def text(request: Request, name: str) -> str | None:
    values = request.query_params.getlist(name)
    if not values:
        return None
    if len(values) > 1:
        raise wrong(name, "given more than once")
    value = str(values[0])
    if "\x00" in value or len(value) > _MAX_LENGTH:
        raise wrong(name, f"up to {_MAX_LENGTH} characters, none of them NUL")
    return value


def choice(request: Request, name: str, choices: Collection[str]) -> str | None:
    value = text(request, name)
    if value is not None and value not in choices:
        raise wrong(name, f"must be one of {', '.join(choices)}")
    return value


def chosen(asked: QueryDict, name: str, choices: Collection[str]) -> str:
    """A page's filter by name; empty, as a form sends it, where nothing is chosen."""
    value = asked.get(name, "")
    if value and value not in choices:
        raise wrong(name, f"must be one of {', '.join(choices)}")
    return value


def moment(request: Request, name: str) -> datetime | None:
    """An RFC 3339 time; one without an offset is UTC."""
    value = text(request, name)
    if value is None:
        return None
    try:
        return moment_of(value)
    except ValueError as error:
        raise wrong(name, "must be an RFC 3339 time like 2025-01-31T12:00:00Z") from error


def number(request: Request, name: str, *, low: int, high: int) -> int | None:
    value = text(request, name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high):
        raise wrong(name, f"must be a whole number from {low} to {high}")
    return int(value)
