from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import actor, audit
from accounts.admin.audited import Audited
from accounts.admin.confirming import HasActions, confirmed
from accounts.admin_site import Kept, ReadOnly, site
from accounts.audit_events import AuditEvent
from accounts.models import Membership, User
from accounts.people import second_factor
from ffapi_site.lib.problems import Conflict


class MembershipInline(ReadOnly, TabularInline):
    """To look at: memberships are changed at the tenant, whose audit log tells of it."""

    model = Membership
    extra = 0
    fields = readonly_fields = ("tenant", "role", "created_at")


class PasswordForm(AdminPasswordChangeForm):
    """Sets somebody else's password, and says so in the same transaction."""

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 -- Django's signature
        with transaction.atomic():
            user = super().save(commit)
            audit.record(AuditEvent.PASSWORD_CHANGED, None, str(user.pk))
        return user


@admin.register(User, site=site)
class PersonAdmin(Kept, UserAdmin[User], HasActions, Audited):
    """People are deactivated, not deleted: jobs and keys name who made them."""

    created, changed = AuditEvent.PERSON_CREATED, AuditEvent.PERSON_CHANGED
    told = ("is_active", "is_staff", "is_superuser")
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = PasswordForm
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "first_name", "last_name", "email", "memberships__tenant__name")
    readonly_fields = ("last_login", "date_joined")
    actions = ("reset_second_factor",)
    inlines: ClassVar = [MembershipInline]
    filter_horizontal = ("user_permissions",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who is no superuser can't take over a colleague, by a password or otherwise.

        Another's rights may be more than one's own.
        """
        is_one_of_us = obj is not None and (obj.is_staff or obj.is_superuser)
        if is_one_of_us and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only a superuser gives rights: else whoever may change people could give themselves."""
        fields = super().get_readonly_fields(request, obj)
        rights = ("is_staff", "is_superuser", "user_permissions")
        return fields if request.user.is_superuser else (*fields, *rights)

    @confirmed(
        "Reset the second factor of the chosen people",
        verb="Reset",
        done="reset; they enrol another at their next sign-in",
        permissions=["change"],
        is_dangerous=True,
    )
    def reset_second_factor(self, request: HttpRequest, person: User) -> None:
        if not self.has_change_permission(request, person):
            raise Conflict("only a superuser can do this for staff")
        if refusal := second_factor.refusal_to_reset(person, cast("User", request.user)):
            raise Conflict(refusal)
        second_factor.reset(person, actor.current().reason)
