from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.people import sessions


class SessionActivityMiddleware:
    """Keep a session alive by what its person does; not by a page that renews itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        renews_itself = request.method == "GET" and request.headers.get("HX-Request") == "true"
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not renews_itself:
            sessions.note_seen(request)
        return response
