"""A person's own authenticator, and staff's help for who has lost theirs."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import Authenticator, User
from accounts.pages.forms import ProofForm, ResetAuthenticatorForm
from accounts.people import recovery, second_factor
from accounts.web.person_page import PersonPage, sign_on_again


class OwnAuthenticator(PersonPage):
    def get(self, _request: HttpRequest) -> HttpResponse:
        return self.show()

    def show(self, form: ProofForm | None = None, status: int = 200) -> HttpResponse:
        return self.render(
            "people/authenticator.html",
            status,
            form=form or ProofForm(user=self.user),
            authenticator=Authenticator.objects.filter(user=self.user).first(),
            codes_left=recovery.left(self.user),
            codes_made=recovery.NUMBER,
            is_required=second_factor.is_required(self.user),
            sign_on_again=sign_on_again(self.request, self.user, back_to=reverse("authenticator")),
        )

    def proved(self) -> ProofForm | None:
        """The form that was sent where it is wrong; None where the person has proved it is them."""
        form = ProofForm(self.request.POST, user=self.user)
        return None if form.is_valid() and form.proves(self.request, self.user) else form


class RemoveAuthenticator(OwnAuthenticator):
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if second_factor.is_required(self.user):
            raise PermissionDenied("You need an authenticator; you can replace it.")
        if wrong := self.proved():
            return self.show(wrong, 422)
        second_factor.remove(self.user)
        messages.success(request, "Signing in takes your password only, from now on.")
        return redirect("authenticator")


class NewRecoveryCodes(OwnAuthenticator):
    http_method_names = ["post"]

    def post(self, _request: HttpRequest) -> HttpResponse:
        if not second_factor.has(self.user):
            return redirect("authenticator")
        if wrong := self.proved():
            return self.show(wrong, 422)
        codes = second_factor.new_recovery_codes(self.user)
        return self.render("people/recovery_codes.html", codes=codes, next="/profile/authenticator")


class ResetAuthenticator(PersonPage):
    """Staff take away what somebody else has lost; for themselves they have to ask a colleague."""

    def get(self, request: HttpRequest) -> HttpResponse:
        self._require_staff()
        whose = request.GET.get("username", "")[:150]
        return self._show(ResetAuthenticatorForm(initial={"username": whose}, user=self.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        self._require_staff()
        form = ResetAuthenticatorForm(request.POST, user=self.user)
        if not form.is_valid():
            return self._show(form, 422)
        user = self._helped(form)
        if user is None:
            return self._show(form, 422)
        second_factor.reset(user, form.cleaned_data["reason"])
        messages.success(request, f"{user.get_username()} can sign in and enrol anew.")
        return redirect("reset_authenticator")

    def _require_staff(self) -> None:
        if not (self.user.is_staff and self.user.is_verified()):
            raise PermissionDenied("This is for staff.")

    def _helped(self, form: ResetAuthenticatorForm) -> User | None:
        """The person of the form, unless something about it is wrong, which it then says."""
        user = User.objects.filter(username=form.cleaned_data["username"]).first()
        if user is None or not second_factor.has(user):
            form.add_error("username", "Nobody of this name has an authenticator.")
        elif refusal := second_factor.refusal_to_reset(user, self.user):
            form.add_error("username", refusal)
        else:
            form.proves(self.request, self.user)
        return None if form.errors else user

    def _show(self, form: ResetAuthenticatorForm, status: int = 200) -> HttpResponse:
        back_to = self.request.get_full_path()
        return self.render(
            "people/reset_authenticator.html",
            status,
            form=form,
            sign_on_again=sign_on_again(self.request, self.user, back_to=back_to),
        )
