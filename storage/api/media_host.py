"""Users' media under a host of their own (``MEDIA_ORIGIN``), where there is nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ffapi_site.lib.problem_handler import problem_response
from ffapi_site.lib.problems import NotFound

_MEDIA = re.compile(r"/v1/files/[^/]+/content")


def is_media_host(request: HttpRequest) -> bool:
    origin: str = settings.MEDIA_ORIGIN
    return bool(origin) and request.get_host().lower() == urlsplit(origin).netloc


class MediaHostMiddleware:
    """Answer nothing under the media host but signed links; refuse hosts that nobody named.

    The second is Django's too, but only after static files were served.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.get_host()
        if is_media_host(request):
            is_content = request.method in {"GET", "HEAD"} and _MEDIA.fullmatch(request.path)
            if not (is_content and "token" in request.GET):
                return problem_response(request, NotFound())
        return self.get_response(request)
