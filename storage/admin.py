from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)
from unfold.decorators import display

from accounts.admin import panels
from accounts.admin.confirming import confirmed
from accounts.admin.days import DaysFilter
from accounts.admin.exporting import Exports
from accounts.admin.panels import Panel
from accounts.admin_site import ReadOnlyAdmin, site
from accounts.audit_events import AuditEvent
from accounts.models import Tenant
from storage import store
from storage.models import File

_SHOWN = 10


@admin.register(File, site=site)
class FileAdmin(Exports, ReadOnlyAdmin):
    """Files as far as they are told; their bytes are their tenant's."""

    list_display = ("name", "id", "tenant", "origin", "size", "content_type", "created_at")
    list_filter = (
        ("tenant", AutocompleteSelectFilter),
        ("origin", ChoicesDropdownFilter),
        ("created_at", DaysFilter),
        ("published_at", admin.EmptyFieldListFilter),
    )
    list_filter_submit = True
    list_select_related = ("tenant",)
    search_fields = ("name", "id", "sha256", "tenant__name")
    exclude = ("storage_key",)
    readonly_fields = ("size", "is_stored")
    show_full_result_count = False  # a count of every row at each look is dear on a large table
    exported = ("id", "tenant", "name", "origin", "size_bytes", "content_type", "created_at")
    exported_as = AuditEvent.FILE_EXPORTED
    actions = ("remove", "export")

    @admin.display(ordering="size_bytes")
    def size(self, file: File) -> str:
        return filesizeformat(file.size_bytes)

    @display(description="bytes", boolean=True)
    def is_stored(self, file: File) -> bool:
        return bool(file.storage_key)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("storage.delete_file")

    @confirmed(
        "Delete the chosen files",
        verb="Delete the files",
        done="deleted",
        permissions=["remove"],
        is_dangerous=True,
    )
    def remove(self, _request: HttpRequest, file: File) -> None:
        store.remove(file)


def _largest_files(tenant: Tenant) -> Panel:
    files = File.objects.published().for_tenant(tenant).order_by("-size_bytes")[:_SHOWN]
    rows: list[tuple[panels.Cell, ...]] = []
    for file in files:
        link = reverse("admin:storage_file_change", args=[quote(file.pk)])
        created = f"{file.created_at:%Y-%m-%d %H:%M}"
        rows.append(((file.name, link), filesizeformat(file.size_bytes), file.origin, created))
    more = f"{reverse('admin:storage_file_changelist')}?tenant__id__exact={tenant.pk}"
    return Panel("Largest files", ("File", "Size", "Origin", "Created"), rows, more)


panels.of_tenant.append(_largest_files)
