from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.views import PasswordResetConfirmView
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy

from accounts.models import User
from accounts.pages.forms import AddressForm, ChangePasswordForm
from accounts.people import passwords, sign_in
from accounts.web.person_page import OpenPage, PersonPage


class ForgottenPassword(OpenPage):
    """Ask for a link by mail. The answer is the same whoever has that address."""

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self.render("people/forgotten_password.html", form=AddressForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self.render("people/forgotten_password.html", 422, form=form)
        passwords.request_reset(request, form.cleaned_data["email"])
        return redirect("mail_is_sent")


class MailIsSent(OpenPage):
    def get(self, _request: HttpRequest) -> HttpResponse:
        return self.render("people/mail_is_sent.html")


class ResetPassword(PasswordResetConfirmView):
    """Set a password by the link of a mail; a code is asked for at the sign-in all the same."""

    template_name = "people/reset_password.html"
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        user = self.user
        assert isinstance(user, User)  # noqa: S101 -- the link was valid
        sign_in.identify(user)
        is_theirs = sign_in.candidate(self.request) == user
        with transaction.atomic():
            response = super().form_valid(form)
            if is_theirs:  # all their sessions end, and what has ended can't be saved
                logout(self.request)
            passwords.note_reset(user)
        messages.success(self.request, "Your password is set. Sign in with it.")
        return response


class ChangePassword(PersonPage):
    """Change the password, of who has one.

    The others sign in elsewhere: one made here would outlive what they are there.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if isinstance(request.user, User) and not request.user.has_usable_password():
            raise PermissionDenied("You sign in by single sign-on, without a password.")
        return super().dispatch(request, *args, **kwargs)

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self._show(ChangePasswordForm(user=self.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ChangePasswordForm(request.POST, user=self.user)
        if not (form.is_valid() and form.proves(request, self.user)):
            return self._show(form, 422)
        passwords.change(request, self.user, form.cleaned_data["new_password"])
        update_session_auth_hash(request, self.user)
        messages.success(request, "Your password is changed; your other sessions have ended.")
        return redirect("profile")

    def _show(self, form: ChangePasswordForm, status: int = 200) -> HttpResponse:
        return self.render("people/change_password.html", status, form=form)
