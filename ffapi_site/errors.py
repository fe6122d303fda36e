"""What the whole site answers where no view does: problems for machines, pages for people."""

from __future__ import annotations

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults

from ffapi_site.lib import outages, problems
from ffapi_site.lib.problem_handler import is_for_machines, problem_response
from ffapi_site.lib.problems import Problem


class Internal(Problem):
    """Something went wrong on our side"""

    status = 500
    code = "internal_error"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not is_for_machines(request):
        return defaults.bad_request(request, exception)
    return problem_response(request, problems.Malformed("the request can't be read"))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not is_for_machines(request):
        return defaults.permission_denied(request, exception)
    return problem_response(request, problems.Forbidden())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not is_for_machines(request):
        return defaults.page_not_found(request, exception)
    return problem_response(request, problems.NotFound())


def server_error(request: HttpRequest, *_: Any) -> HttpResponse | HttpResponseBase:
    """Answer what nobody expected, and an outage that was met outside of any view."""
    if outage := outages.answer_to(request, sys.exc_info()[1]):
        return outage
    if not is_for_machines(request):
        return defaults.server_error(request)
    return problem_response(request, Internal())
