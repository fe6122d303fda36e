from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import Invitation, User
from accounts.pages.forms import NewPersonForm
from accounts.people import invitations, registration, sign_in
from accounts.web.person_page import OpenPage


class AcceptInvitation(OpenPage):
    """What the link of an invitation opens: join as who you are, or become somebody here."""

    def get(self, _request: HttpRequest, token: str) -> HttpResponse:
        invitation = self._invitation(token)
        return self._show(invitation, NewPersonForm(email=invitation.email))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        invitation = self._invitation(token)
        if isinstance(request.user, User):
            return self._join(invitation, request.user)
        if not self._may_become_somebody(invitation):
            return self._show(invitation, status=409)
        return self._become_somebody(invitation)

    def _invitation(self, token: str) -> Invitation:
        invitation = invitations.find(token)
        if invitation is None:
            raise Http404
        return invitation

    def _may_become_somebody(self, invitation: Invitation) -> bool:
        return settings.REGISTRATION != "off" and not _is_known(invitation)

    def _join(self, invitation: Invitation, user: User) -> HttpResponse:
        if not invitations.fits(invitation, user):
            return self._show(invitation, status=409)
        sign_in.identify(user)
        invitations.accept(invitation, user)
        self.request.session["tenant"] = invitation.tenant_id
        messages.success(self.request, f"You are a member of {invitation.tenant.name}.")
        return redirect("dashboard")

    def _become_somebody(self, invitation: Invitation) -> HttpResponse:
        form = NewPersonForm(self.request.POST, email=invitation.email)
        if not form.is_valid():
            return self._show(invitation, form, status=422)
        given = form.cleaned_data
        registration.accept_as_new(invitation, given["username"], given["new_password"])
        messages.success(self.request, f"Welcome, {given['username']}. Sign in to go on.")
        return redirect("login")

    def _show(self, invitation: Invitation, form: Any = None, status: int = 200) -> HttpResponse:
        user = self.request.user
        return self.render(
            "people/invitation.html",
            status,
            invitation=invitation,
            form=form,
            joins_as=user
            if isinstance(user, User) and invitations.fits(invitation, user)
            else None,
            is_someone_else=isinstance(user, User) and not invitations.fits(invitation, user),
            is_known=_is_known(invitation),
            is_open=settings.REGISTRATION != "off",
        )


def _is_known(invitation: Invitation) -> bool:
    return User.objects.filter(email__iexact=invitation.email).exists()
