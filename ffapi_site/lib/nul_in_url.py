from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_WITH_ANSWERS_OF_ITS_OWN = "/v1/"


class NulInUrlMiddleware:
    """Refuse NUL in the addresses of pages: nothing has it in its name, and the database fails.

    The API says what is wrong with which parameter.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_page = not request.path.startswith(_WITH_ANSWERS_OF_ITS_OWN)
        if is_page and ("\0" in request.path or "%00" in request.META.get("QUERY_STRING", "")):
            raise BadRequest("NUL in the address")
        return self.get_response(request)
