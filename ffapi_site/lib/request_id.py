from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from ffapi_site.lib.ids import new_id

_ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_ATTRIBUTE = "_ffapi_request_id"


def request_id(request: HttpRequest) -> str:
    """The request's id: the client's ``X-Request-ID`` where it is harmless, else a new one."""
    known: str | None = getattr(request, _ATTRIBUTE, None)
    if known is None:
        given = request.headers.get("X-Request-ID", "")
        known = given if _ACCEPTED.fullmatch(given) else new_id("req")
        setattr(request, _ATTRIBUTE, known)
    return known


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id(request)
        response = self.get_response(request)
        response["X-Request-ID"] = request_id(request)
        return response
