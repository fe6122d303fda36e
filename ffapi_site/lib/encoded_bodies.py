from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ffapi_site.lib.problem_handler import problem_response
from ffapi_site.lib.problems import UnsupportedMediaType


class EncodedBodyMiddleware:
    """Refuse compressed bodies: a megabyte of them could be a gigabyte, and no client needs them.

    ``Accept-Encoding`` of a 415 says which are taken (RFC 9110 section 12.5.3).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding in {"", "identity"}:
            return self.get_response(request)
        problem = UnsupportedMediaType(
            "send the body as it is: Content-Encoding is not taken",
            code="content_encoding_not_taken",
            headers={"Accept-Encoding": "identity"},
        )
        return problem_response(request, problem)
