"""Where every error of the API becomes ``application/problem+json``."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.request import Request

from ffapi_site.lib import problems
from ffapi_site.lib.problems import FieldError, Problem
from ffapi_site.lib.request_id import request_id
from ffapi_site.lib.room import is_full

_FOR_MACHINES = ("/v1/", "/health/")


def is_for_machines(request: HttpRequest) -> bool:
    """Is what answers there no page?"""
    return f"{request.path}/".startswith(_FOR_MACHINES)


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    body = json.dumps(problem.to_json(request_id(request)))
    return HttpResponse(
        body,
        status=problem.status,
        content_type="application/problem+json",
        headers=problem.headers,
    )


def _pointers(detail: Any, at: str = "") -> list[FieldError]:
    """Flatten DRF's nested error detail into one error for each wrong field."""
    if isinstance(detail, dict):
        return [
            error
            for key, inner in detail.items()
            for error in _pointers(inner, at if key == "non_field_errors" else f"{at}/{key}")
        ]
    if isinstance(detail, list):
        if all(isinstance(item, str) for item in detail):
            return [FieldError(at, str(item), getattr(item, "code", "invalid")) for item in detail]
        return [e for i, item in enumerate(detail) for e in _pointers(item, f"{at}/{i}")]
    return [FieldError(at, str(detail), getattr(detail, "code", "invalid"))]


_OF_DRF: dict[type[Exception], type[Problem]] = {
    exceptions.ParseError: problems.Malformed,
    exceptions.NotAuthenticated: problems.Unauthenticated,
    exceptions.AuthenticationFailed: problems.Unauthenticated,
    exceptions.PermissionDenied: problems.Forbidden,
    exceptions.NotFound: problems.NotFound,
    exceptions.MethodNotAllowed: problems.MethodNotAllowed,
    exceptions.NotAcceptable: problems.NotAcceptable,
    exceptions.UnsupportedMediaType: problems.UnsupportedMediaType,
    Http404: problems.NotFound,
    PermissionDenied: problems.Forbidden,
    RequestDataTooBig: problems.TooLarge,
    UnreadablePostError: problems.Malformed,  # the client left or stalled
}


def disk_full() -> Problem:
    detail = "there is no room for this on the disk"
    return problems.Unavailable(detail, code="storage_full", headers={"Retry-After": "300"})


def to_problem(error: Exception) -> Problem | None:
    """Translate what Django and DRF raise; None is for what nobody expected."""
    if isinstance(error, Problem):
        return error
    if is_full(error):
        return disk_full()
    if isinstance(error, exceptions.ValidationError):
        return problems.Invalid("some fields are wrong", errors=_pointers(error.detail))
    for kind, problem in _OF_DRF.items():
        if isinstance(error, kind):
            is_absent = problem is problems.NotFound  # one text, whatever was missing
            return problem("" if is_absent else str(getattr(error, "detail", "")))
    return None


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's ``EXCEPTION_HANDLER``."""
    problem = to_problem(error)
    if problem is None:
        return None
    if problem.status == problems.Unauthenticated.status:
        problem.headers.setdefault("WWW-Authenticate", 'Bearer realm="ffapi"')
    request: Request = context["request"]
    return problem_response(request._request, problem)  # noqa: SLF001 -- DRF has no public name
