from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts import rate_limit
from accounts.web.api_view import TenantAPIView
from ffapi_site.lib.problem_handler import problem_response
from ffapi_site.lib.problems import TooManyRequests

_FOR_PROBES = "/health/"  # must answer while the database is away


class AddressLimitMiddleware:
    """Count requests that prove nothing about who sends them, by address.

    Views of tenants count for themselves: by key, or by address where the key is wrong.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: Any
    ) -> HttpResponse | None:
        view_class = getattr(view, "view_class", None)
        is_of_tenants = isinstance(view_class, type) and issubclass(view_class, TenantAPIView)
        if is_of_tenants or request.path.startswith(_FOR_PROBES):
            return None
        try:
            if not request.user.is_authenticated:
                rate_limit.count_stranger(request)
        except TooManyRequests as refusal:
            if request.path.startswith("/v1/"):
                return problem_response(request, refusal)
            wait = {"wait_s": refusal.headers["Retry-After"]}
            response = render(request, "429.html", wait, status=429)
            for name, value in refusal.headers.items():
                response[name] = value
            return response
        except (OperationalError, InterfaceError):
            return None  # the database is away: the view says so, or does without it
        return None
