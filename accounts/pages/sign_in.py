"""Signing in: a name and a password, then a code, or the enrolment of what makes codes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.pages.forms import CodeForm, EnrolForm
from accounts.pages.qr_code import QrCode
from accounts.people import second_factor, sign_in
from accounts.people.second_factor import Verdict
from accounts.web.person_page import CandidatePage, sign_on_again
from ffapi_site.lib.crypto import decrypt, encrypt

_ENROLLING = "enrolling"


def onward(user: User, wanted: str) -> HttpResponseRedirect:
    """Go on from a right password, towards the page that was ``wanted``."""
    query = f"?{urlencode({'next': wanted})}" if wanted else ""
    if second_factor.has(user):
        return HttpResponseRedirect(reverse("sign_in_code") + query)
    if second_factor.is_required(user):
        return HttpResponseRedirect(reverse("enrol") + query)
    return HttpResponseRedirect(wanted or reverse(settings.LOGIN_REDIRECT_URL))


class SignIn(LoginView):
    """The one form for a password; the admin's address shows it too."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        known = sign_in.candidate(request)
        if known and (known.is_staff or request.path == reverse("login")):
            if request.user.is_authenticated:
                return HttpResponseRedirect(self.get_success_url())
            return onward(known, self.get_redirect_url())
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        assert isinstance(user, User)  # noqa: S101 -- AUTH_USER_MODEL
        sign_in.begin(self.request, user, by="password")
        return onward(user, self.get_redirect_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            has_single_sign_on=bool(settings.OIDC_ISSUER),
            is_open=settings.REGISTRATION == "open",
        )


class Code(CandidatePage):
    """The second step for who has an authenticator."""

    def get(self, _request: HttpRequest) -> HttpResponse:
        if self.is_signed_in:
            return HttpResponseRedirect(self.get_success_url())
        return self._ask(CodeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self._ask(form, 422)
        verdict = sign_in.prove(request, self.candidate, form.cleaned_data["code"])
        if verdict.locked_until:
            return self._refuse(form, verdict)
        if verdict.authenticator is None:
            form.add_error("code", "This is not right, or it was used already.")
            return self._ask(form, 422)
        if verdict.recovery_codes_left is not None:
            left = verdict.recovery_codes_left
            messages.warning(request, f"You have {left} recovery codes left.")
        return HttpResponseRedirect(self.get_success_url())

    def _ask(self, form: CodeForm, status: int = 200) -> HttpResponse:
        return self.render("people/code.html", status, form=form, next=self.get_redirect_url())

    def _refuse(self, form: CodeForm, verdict: Verdict) -> HttpResponse:
        assert verdict.locked_until  # noqa: S101 -- as the caller saw
        wait_s = max(1, int((verdict.locked_until - timezone.now()).total_seconds()))
        minutes = -(-wait_s // 60)
        form.add_error(None, f"Too many wrong codes: try again in {minutes} minutes.")
        response = self._ask(form, 429)
        response["Retry-After"] = str(wait_s)
        return response


class Enrol(CandidatePage):
    """Connect an authenticator app: at the sign-in of who needs one, later by who wants one.

    Who has one already replaces it only after a code of it, and with their password once more.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        known = sign_in.candidate(request)
        if known and not request.user.is_authenticated and second_factor.has(known):
            return redirect("sign_in_code")
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        secret = second_factor.new_secret()
        request.session[_ENROLLING] = encrypt(secret)
        return self._show(secret, EnrolForm(user=self._asked))

    def post(self, request: HttpRequest) -> HttpResponse:
        if _ENROLLING not in request.session:
            return HttpResponseRedirect(request.get_full_path())
        secret = decrypt(request.session[_ENROLLING])
        form = EnrolForm(request.POST, user=self._asked)
        codes = self._enrolled(form, secret) if form.is_valid() else None
        if codes is None:
            return self._show(secret, form, 422)
        del request.session[_ENROLLING]
        return self.render("people/recovery_codes.html", codes=codes, next=self.get_success_url())

    @property
    def _asked(self) -> User | None:
        """Who has to prove that it is them: not the one who has just done so.

        A session can be old and need an authenticator all the same, since its tenant asks for one.
        """
        is_on_the_way = not self.is_signed_in and sign_in.has_just_proved(self.request)
        return None if is_on_the_way else self.candidate

    def _enrolled(self, form: EnrolForm, secret: str) -> list[str] | None:
        if self._asked and not form.proves(self.request, self.candidate):
            return None
        codes = sign_in.enrol(self.request, self.candidate, secret, form.cleaned_data["code"])
        if codes is None:
            form.add_error("code", "This is not the code that the app should show now.")
        return codes

    def _show(self, secret: str, form: EnrolForm, status: int = 200) -> HttpResponse:
        return self.render(
            "people/enrol.html",
            status,
            form=form,
            secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
            qr_code=QrCode.of(second_factor.uri(self.candidate, secret)),
            next=self.get_redirect_url(),
            is_required=not self.is_signed_in,
            sign_on_again=sign_on_again(self.request, self.candidate, back_to=self._back_to),
        )

    @property
    def _back_to(self) -> str:
        """On the way in every sign-in leads here, to go on from here to what was wanted."""
        return self.request.get_full_path() if self.is_signed_in else self.get_redirect_url()
