from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.quotas import suspension
from accounts.quotas.errors import QuotaExceeded
from accounts.web.visitor import Visitor, visitor_of
from ffapi_site.lib.problems import MethodNotAllowed, Problem
from ffapi_site.lib.request_id import request_id


def wants_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


@method_decorator(never_cache, name="dispatch")
class Page(LoginRequiredMixin, View):
    """A page for signed-in people; ``scopes`` says what each method needs."""

    scopes: ClassVar[dict[str, str]] = {"GET": "jobs:read"}
    visitor: Visitor

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self._ask_to_sign_in(request)
        self.visitor = visitor_of(request)
        method = "GET" if request.method == "HEAD" else str(request.method)
        if scope := self.scopes.get(method):
            self.visitor.require(scope)
        try:
            return super().dispatch(request, *args, **kwargs)
        except Problem as problem:
            if isinstance(problem, QuotaExceeded):
                suspension.note_violation(problem)
            return self.answer_problem(problem)

    def http_method_not_allowed(self, *_: Any, **__: Any) -> HttpResponse:
        return wrong_method_page(self)

    def answer_problem(self, problem: Problem) -> HttpResponse:
        return problem_page(self.request, problem)

    def _ask_to_sign_in(self, request: HttpRequest) -> HttpResponseBase:
        if not wants_fragment(request):
            return self.handle_no_permission()
        # A fragment can't show the sign-in page: the whole window has to go there.
        return HttpResponse(headers={"HX-Refresh": "true"})

    def render(self, template: str, status: int = 200, **context: Any) -> HttpResponse:
        response = render(
            self.request, template, context | {"visitor": self.visitor}, status=status
        )
        patch_vary_headers(response, ["HX-Request"])
        return response


def wrong_method_page(page: View) -> HttpResponse:
    """Not the page itself with the problem on it: no scope is asked for such a method."""
    methods = (name for name in page.http_method_names if hasattr(page, name))
    allowed = ", ".join(methods).upper()
    problem = MethodNotAllowed(f"this address takes {allowed}", headers={"Allow": allowed})
    return problem_page(page.request, problem)


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The same error that the API would answer, for people."""
    context = {"problem": problem, "request_id": request_id(request)}
    response = render(request, "pages/problem.html", context, status=problem.status)
    for name, value in problem.headers.items():
        response[name] = value
    return response
