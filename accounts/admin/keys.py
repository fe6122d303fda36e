from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from accounts import keys
from accounts.admin.confirming import confirmed
from accounts.admin.exporting import Exports
from accounts.admin_site import ReadOnlyAdmin, site
from accounts.audit_events import AuditEvent
from accounts.models import ApiKey
from accounts.models.api_key import ApiKeyQuerySet
from ffapi_site.lib.problems import Conflict


@admin.register(ApiKey, site=site)
class ApiKeyAdmin(Exports, ReadOnlyAdmin):
    """Keys as far as they may be seen: the secret is known to its holder alone."""

    list_display = ("name", "id", "tenant", "role", "created_at", "last_used_at", "is_usable")
    list_filter = (
        ("tenant", AutocompleteSelectFilter),
        "role",
        ("revoked_at", admin.EmptyFieldListFilter),
    )
    list_filter_submit = True
    list_select_related = ("tenant",)
    search_fields = ("name", "id", "tenant__name")
    exclude = ("secret_digest",)
    readonly_fields = ("secret",)
    actions = ("revoke", "export")
    exported = ("id", "name", "tenant", "role", "created_at", "expires_at", "last_used_at")
    exported_as = AuditEvent.API_KEY_EXPORTED

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """With what tells whether a key that follows its creator can still be used."""
        rows: ApiKeyQuerySet = super().get_queryset(request)
        return rows.with_creators_role()

    def fits(self, action: str, row: ApiKey) -> bool:
        return action != "revoke" or row.revoked_at is None

    @admin.display(boolean=True, description="usable")
    def is_usable(self, key: ApiKey) -> bool:
        return key.is_usable

    @display(description="secret")
    def secret(self, key: ApiKey) -> str:
        return "set; only its holder knows it" if key.secret_digest else "not set"

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apikey")

    @confirmed(
        "Revoke the chosen keys",
        verb="Revoke",
        done="revoked; they end within seconds",
        permissions=["revoke"],
        is_dangerous=True,
    )
    def revoke(self, _request: HttpRequest, key: ApiKey) -> None:
        if key.revoked_at is not None:
            raise Conflict("it is revoked already")
        keys.revoke(key)
