from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.pages.forms import ChangeAddressForm, NameForm
from accounts.people import passwords, profile, second_factor, sessions
from accounts.web.person_page import PersonPage, sign_on_again


class Profile(PersonPage):
    """What somebody may see and change of themselves."""

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self.show()

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NameForm(request.POST)
        if not form.is_valid():
            return self.show(422, name_form=form)
        profile.rename(self.user, **form.cleaned_data)
        messages.success(request, "Your name is saved.")
        return redirect("profile")

    def show(
        self,
        status: int = 200,
        *,
        name_form: NameForm | None = None,
        address_form: ChangeAddressForm | None = None,
    ) -> HttpResponse:
        names = {"first_name": self.user.first_name, "last_name": self.user.last_name}
        return self.render(
            "people/profile.html",
            status,
            name_form=name_form or NameForm(initial=names),
            address_form=address_form or ChangeAddressForm(user=self.user),
            sign_on_again=sign_on_again(self.request, self.user, back_to=reverse("profile")),
            has_authenticator=second_factor.has(self.user),
            session_count=sessions.live(self.user).count(),
        )


class ChangeAddress(Profile):
    """Ask for a link at the new address: only who reads there can have it.

    It takes the password: who has the address can have another one set.
    """

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ChangeAddressForm(request.POST, user=self.user)
        if not (form.is_valid() and form.proves(request, self.user)):
            return self.show(422, address_form=form)
        email = form.cleaned_data["email"]
        if passwords.may_be_mailed(request, email):
            profile.request_address(self.user, email)
        messages.success(request, f"Open the link that is on its way to {email}.")
        return redirect("profile")


class ConfirmAddress(PersonPage):
    """A page with a button: what only opens links of mails must change nothing."""

    def get(self, _request: HttpRequest, token: str) -> HttpResponse:
        return self.render("people/confirm_address.html", email=self._address(token))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        profile.confirm_address(self.user, self._address(token))
        messages.success(request, "Your e-mail address is changed.")
        return redirect("profile")

    def _address(self, token: str) -> str:
        email = profile.address_of(self.user, token)
        if email is None:
            raise Http404
        return email
