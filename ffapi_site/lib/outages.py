"""What is answered while the database is away, a disk is full, or the key to a secret missing."""

from __future__ import annotations

import logging
from collections.abc import Callable

import psycopg
from django.http import HttpRequest, HttpResponse
from django.template import loader

from ffapi_site.lib.crypto import Undecipherable
from ffapi_site.lib.database_away import DATABASE_TROUBLE, database_away
from ffapi_site.lib.problem_handler import disk_full, is_for_machines, problem_response
from ffapi_site.lib.problems import Problem, Unavailable
from ffapi_site.lib.request_id import request_id
from ffapi_site.lib.room import is_full

logger = logging.getLogger(__name__)

# 57014: a time-out of ours. 55P03, 40P01, 40001: a lock, a deadlock, a change by somebody else.
_TOO_SLOW = "57014"
_IN_THE_WAY = ("55P03", "40P01", "40001")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_WIDE_SEARCH = (
    "this takes the database longer than it may, as a wide search does: narrow it, by time above "
    "all, or come again later"
)
_LONG_WORK = "this took the database longer than it may; come again later"


class OutageMiddleware:
    """Answer 503 with ``Retry-After``, and no 500: a problem for machines, a page for people."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return answer_to(request, error)


def answer_to(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    """The answer to a request that ended so; None where it is no outage."""
    if error is None:
        return None
    if is_full(error):
        problem = disk_full()
    elif isinstance(error, Undecipherable):
        logger.error("None of ENCRYPTION_KEYS opens a secret", exc_info=error)
        detail = "a secret can't be opened: its key is missing among the operators' ENCRYPTION_KEYS"
        problem = _unavailable(detail, "secret_unreadable", 3600)
    elif isinstance(error, DATABASE_TROUBLE):
        problem = _of_database(request, error)
    else:
        return None
    if is_for_machines(request) or not request.accepts("text/html"):
        return problem_response(request, problem)
    # Without the request: who it is of, and what else every page tells, is in the database.
    told = {"problem": problem, "request_id": request_id(request)}
    page = loader.render_to_string("503.html", told)
    return HttpResponse(page, status=problem.status, headers=problem.headers)


def _of_database(request: HttpRequest, error: BaseException) -> Problem:
    if database_away(error):
        return _unavailable("the database is away", "database_unavailable", 5)
    state = error.__cause__.sqlstate if isinstance(error.__cause__, psycopg.Error) else None
    if state == _TOO_SLOW:
        detail = _WIDE_SEARCH if request.method in _SAFE_METHODS else _LONG_WORK
        return _unavailable(detail, "took_too_long", 30)
    if state in _IN_THE_WAY:
        detail = "somebody else is changing the same just now"
        return _unavailable(detail, "database_busy", 1)
    logger.error("The database refused a statement", exc_info=error, extra={"state": state})
    return _unavailable("the database can't do this just now", "database_unavailable", 30)


def _unavailable(detail: str, code: str, after_s: int) -> Problem:
    return Unavailable(detail, code=code, headers={"Retry-After": str(after_s)})
