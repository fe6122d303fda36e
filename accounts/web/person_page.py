from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import RedirectURLMixin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.people import sign_in
from accounts.web.page import problem_page, wrong_method_page
from accounts.web.visitor import NoTenant, Visitor, visitor_of
from ffapi_site.lib.problems import Problem


@method_decorator(never_cache, name="dispatch")
class OpenPage(View):
    """A page for whoever comes, signed in or not."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except Problem as problem:
            return problem_page(request, problem)

    def http_method_not_allowed(self, *_: Any, **__: Any) -> HttpResponse:
        return wrong_method_page(self)

    def render(self, template: str, status: int = 200, **context: Any) -> HttpResponse:
        return render(self.request, template, context, status=status)


class PersonPage(LoginRequiredMixin, OpenPage):
    """A page about the signed-in person themselves, member of a tenant or of none."""

    visitor: Visitor | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            try:
                self.visitor = visitor_of(request)
            except NoTenant:
                sign_in.identify(self.user)
        return super().dispatch(request, *args, **kwargs)

    @property
    def user(self) -> User:
        return cast("User", self.request.user)

    def render(self, template: str, status: int = 200, **context: Any) -> HttpResponse:
        return super().render(template, status, visitor=self.visitor, user=self.user, **context)


def sign_on_again(request: HttpRequest, user: User, *, back_to: str) -> str:
    """Where who has no password proves that it is them; empty where they need not, or can't."""
    if not settings.OIDC_ISSUER or user.has_usable_password() or sign_in.has_just_proved(request):
        return ""
    return f"{reverse('oidc_begin')}?{urlencode({'again': 'yes', 'next': back_to})}"


class CandidatePage(RedirectURLMixin, OpenPage):
    """A step of signing in, for somebody whose password was right."""

    next_page = "dashboard"
    candidate: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        candidate = sign_in.candidate(request)
        if candidate is None:
            return redirect("login")
        self.candidate = candidate
        return super().dispatch(request, *args, **kwargs)

    @property
    def is_signed_in(self) -> bool:
        return self.request.user.is_authenticated
