from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ffapi_site.lib.problem_handler import is_for_machines, problem_response
from ffapi_site.lib.problems import Invalid

logger = logging.getLogger(__name__)


class WrongValueMiddleware:
    """Answer 422 where the database can't hold a value that no check of ours has refused.

    The net below those checks: that it was needed is a mistake of ours, and logged as one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        # Lone surrogates never reach the database: its driver can't write them down.
        if not isinstance(error, (DataError, UnicodeEncodeError)):
            return None
        logger.error("The database refused a value that passed our checks", exc_info=error)
        if is_for_machines(request):
            detail = "a value in this request is too long or of a form that can't be stored"
            return problem_response(request, Invalid(detail, code="invalid_value"))
        return render(request, "422.html", status=Invalid.status)
