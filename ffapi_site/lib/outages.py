from __future__ import annotations

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from ffapi_site.lib.problem_handler import disk_full, problem_response
from ffapi_site.lib.problems import Unavailable
from ffapi_site.lib.room import is_full


class OutageMiddleware:
    """Answer 503 with ``Retry-After`` while the database is away or a disk full, and no 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if is_full(error):
            return problem_response(request, disk_full())
        if not isinstance(error, (OperationalError, InterfaceError)):
            return None
        away = Unavailable(
            "the database is away", code="database_unavailable", headers={"Retry-After": "5"}
        )
        return problem_response(request, away)
