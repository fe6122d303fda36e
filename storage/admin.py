from __future__ import annotations

from django.contrib import admin
from django.template.defaultfilters import filesizeformat

from accounts.admin_site import ReadOnlyAdmin, site
from storage.models import File


@admin.register(File, site=site)
class FileAdmin(ReadOnlyAdmin):
    list_display = ("name", "id", "tenant", "origin", "size", "content_type", "created_at")
    list_filter = ("origin", "content_type", ("published_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant",)
    search_fields = ("name", "id", "sha256", "tenant__name")
    date_hierarchy = "created_at"
    show_full_result_count = False  # a count of every row at each look is dear on a large table

    @admin.display(ordering="size_bytes")
    def size(self, file: File) -> str:
        return filesizeformat(file.size_bytes)
