from __future__ import annotations

from typing import ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.pages.page import Page
from accounts.pages.visitor import choose_tenant


class ChooseTenant(Page):
    """Switch to another of the person's tenants, and go on at its dashboard."""

    scopes: ClassVar[dict[str, str]] = {}
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        choose_tenant(request, request.POST.get("tenant", ""))
        return HttpResponseRedirect("/")
