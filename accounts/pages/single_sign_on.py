"""Signing in at the operators' OpenID provider: authorization code with PKCE (RFC 7636)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from mozilla_django_oidc.views import OIDCAuthenticationRequestView

from accounts.audit_events import AuditEvent, Outcome
from accounts.pages.sign_in import onward
from accounts.people import audit_tenant, sign_in
from accounts.people.oidc import Provider, setting
from accounts.web.person_page import OpenPage

_STATES = "oidc_states"
_NEXT = "oidc_login_next"
_AGAIN = "again"
# A proof that is older is asked for again: of the time that one holds for, most is left then.
_MAX_AGE_S = sign_in.PROVED_FOR_S // 5


class _Question(OIDCAuthenticationRequestView):
    @staticmethod
    def get_settings(attr: str, *default: Any) -> Any:
        return setting(attr, *default)

    def get_extra_params(self, request: HttpRequest) -> dict[str, Any]:
        """Have who is known there prove it again (OpenID Connect Core 1.0, section 3.1.2.1)."""
        params: dict[str, Any] = super().get_extra_params(request)
        return params | {"max_age": _MAX_AGE_S} if _AGAIN in request.GET else params


class Begin(OpenPage):
    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = _Question().get(request)
        request.session[_AGAIN] = _AGAIN in request.GET
        return response


class Callback(OpenPage):
    """What the provider sends people back to: each state is good once, where it began."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        begun = request.session.get(_STATES, {}).pop(request.GET.get("state", ""), None)
        request.session.modified = True
        if begun is None or "code" not in request.GET:
            return self._refuse()
        wanted = request.session.pop(_NEXT, None) or ""
        is_again = request.session.pop(_AGAIN, False)
        provider = Provider()
        verifier = begun["code_verifier"]
        user = provider.person(request, nonce=begun["nonce"], verifier=verifier)
        if user is None:
            return self._refuse()
        sign_in.begin(request, user, by="single sign-on", proved_at_s=provider.proved_at_s)
        if is_again and not sign_in.has_just_proved(request):
            messages.error(request, "The single sign-on does not say that it has asked you again.")
        return onward(user, wanted)

    def _refuse(self) -> HttpResponse:
        audit_tenant.record_stranger(AuditEvent.LOGIN_FAILED, "", Outcome.FAILURE)
        messages.error(self.request, "The single sign-on did not let you in.")
        return redirect("login")


urlpatterns = [
    path("oidc/begin", Begin.as_view(), name="oidc_begin"),
    path("oidc/callback", Callback.as_view(), name="oidc_authentication_callback"),
]
