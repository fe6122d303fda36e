from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.utils import timezone
from unfold.decorators import display

from accounts.admin_site import ReadOnlyAdmin, site
from media_jobs.models import MaintenanceChore


@admin.register(MaintenanceChore, site=site)
class MaintenanceChoreAdmin(ReadOnlyAdmin):
    """What is done again and again: when each chore was last done, and how it went."""

    list_display = ("name", "state", "began_at", "took", "interval", "host", "failures", "trouble")
    list_filter = ("host",)
    search_fields = ("name", "host", "trouble")

    @display(label={"done": "success", "late": "warning", "failing": "danger"})
    def state(self, row: MaintenanceChore) -> str:
        if row.trouble:
            return "failing"
        return "late" if row.is_late(timezone.now()) else "done"

    @admin.display(description="took")
    def took(self, row: MaintenanceChore) -> str:
        return f"{row.took_s:.2f} s"

    @admin.display(description="every")
    def interval(self, row: MaintenanceChore) -> str:
        return str(timedelta(seconds=row.every_s))
