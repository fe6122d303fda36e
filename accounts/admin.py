from __future__ import annotations

from typing import ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.admin_site import Kept, ReadOnlyAdmin, site
from accounts.models import ApiKey, Membership, Tenant, User


class MembershipInline(TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user", "tenant")
    fields = ("user", "tenant", "role")


@admin.register(Tenant, site=site)
class TenantAdmin(Kept, ModelAdmin):
    """Tenants are switched off, not deleted: what they made would go with them."""

    list_display = ("name", "id", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "id")
    readonly_fields = ("id", "created_at")
    fields = ("name", "id", "is_active", "max_concurrent_jobs", "max_queued_jobs", "created_at")
    inlines: ClassVar = [MembershipInline]


@admin.register(User, site=site)
class PersonAdmin(Kept, UserAdmin[User], ModelAdmin):
    """People are deactivated, not deleted: jobs and keys name who made them."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    readonly_fields = ("last_login", "date_joined")
    inlines: ClassVar = [MembershipInline]
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )


@admin.register(ApiKey, site=site)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys as far as they may be seen: the secret is known to its holder alone."""

    list_display = ("name", "id", "tenant", "role", "created_at", "last_used_at", "is_usable")
    list_filter = ("role", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant",)
    search_fields = ("name", "id", "tenant__name")
    exclude = ("secret_digest",)
    actions = ("revoke",)

    @admin.display(boolean=True, description="usable")
    def is_usable(self, key: ApiKey) -> bool:
        return key.is_usable

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apikey")

    @admin.action(description="Revoke the selected keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        revoked = keys.filter(revoked_at=None).update(revoked_at=Now())
        self.message_user(request, f"{revoked} revoked; they end at once.", messages.SUCCESS)
