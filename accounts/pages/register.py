from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from accounts.pages.forms import AddressForm, RegistrationForm
from accounts.people import passwords, registration
from accounts.web.person_page import OpenPage


class _Registration(OpenPage):
    """Absent, unless ``REGISTRATION`` is open."""

    def dispatch(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        if settings.REGISTRATION != "open":
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class Register(_Registration):
    """Ask for a link by mail; the answer is the same whoever has that address."""

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self.render("people/register.html", form=AddressForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self.render("people/register.html", 422, form=form)
        email = form.cleaned_data["email"]
        if passwords.may_be_mailed(request, email):
            registration.request_link(email)
        return redirect("mail_is_sent")


class CompleteRegistration(_Registration):
    def get(self, _request: HttpRequest, token: str) -> HttpResponse:
        return self._show(RegistrationForm(email=self._address(token)))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        email = self._address(token)
        form = RegistrationForm(request.POST, email=email)
        if not form.is_valid():
            return self._show(form, 422)
        given = form.cleaned_data
        registration.complete(
            email, given["username"], given["new_password"], tenant_name=given["tenant"]
        )
        messages.success(request, f"Welcome, {given['username']}. Sign in to go on.")
        return redirect("login")

    def _address(self, token: str) -> str:
        email = registration.address_of(token)
        if email is None:
            raise Http404
        return email

    def _show(self, form: RegistrationForm, status: int = 200) -> HttpResponse:
        return self.render("people/complete_registration.html", status, form=form)
