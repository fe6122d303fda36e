"""``/settings``: a tenant's people, as its admins see them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import Invitation
from accounts.pages.forms import InvitationForm, RoleForm
from accounts.people import invitations, members
from accounts.roles import EVERYTHING, PEOPLES_ROLES
from accounts.web.page import Page
from ffapi_site.lib.problems import Problem


class Members(Page):
    """Only admins hold everything, and only they come here."""

    scopes: ClassVar[dict[str, str]] = {"GET": EVERYTHING, "POST": EVERYTHING}

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self.show()

    def answer_problem(self, problem: Problem) -> HttpResponse:
        return self.show(problem.status, refused=problem)

    @property
    def own_role(self) -> str:
        return members.role_of(self.visitor.acting_tenant, self.visitor.user)

    def show(self, status: int = 200, **context: Any) -> HttpResponse:
        tenant = self.visitor.acting_tenant
        pending = Invitation.objects.for_tenant(tenant).pending().select_related("invited_by")
        known = {"form": InvitationForm(), "refused": None}
        return self.render(
            "people/members.html",
            status,
            **known | context,
            members=members.of(tenant),
            invitations=pending,
            roles=PEOPLES_ROLES,
            has_mail=settings.MAIL_IS_SET_UP,
        )


class Invite(Members):
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        form = InvitationForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        tenant, given = self.visitor.acting_tenant, form.cleaned_data
        invitations.invite(tenant, **given, by=self.visitor.user, own_role=self.own_role)
        messages.success(request, f"{given['email']} is invited.")
        return redirect("members")


class RevokeInvitation(Members):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, invitation_id: str) -> HttpResponse:
        if not invitations.revoke(self.visitor.acting_tenant, invitation_id):
            raise Http404
        messages.success(request, "The invitation is withdrawn; its link leads nowhere.")
        return redirect("members")


class ChangeRole(Members):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, membership_id: int) -> HttpResponse:
        form = RoleForm(request.POST)
        if not form.is_valid():
            return self.show(422, refused=Problem("there is no such role"))
        membership = members.change_role(
            self.visitor.acting_tenant,
            membership_id,
            form.cleaned_data["role"],
            own_role=self.own_role,
        )
        messages.success(request, f"{membership.user.get_username()} is {membership.role} now.")
        return redirect("members")


class RemoveMember(Members):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, membership_id: int) -> HttpResponse:
        membership = members.remove(self.visitor.acting_tenant, membership_id)
        messages.success(request, f"{membership.user.get_username()} is no member any more.")
        return redirect("members" if membership.user != self.visitor.user else "dashboard")


class RequireTotp(Members):
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        is_required = request.POST.get("requires_totp") == "on"
        members.require_totp(self.visitor.acting_tenant, is_required=is_required)
        told = "has to" if is_required else "need not"
        messages.success(request, f"Every member {told} sign in with a code as well.")
        return redirect("members")
