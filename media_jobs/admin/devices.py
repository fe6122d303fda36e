from __future__ import annotations

from django.contrib import admin
from django.utils import timezone
from unfold.decorators import display

from accounts.admin_site import ReadOnlyAdmin, site
from media_jobs.models import DeviceHealth


@admin.register(DeviceHealth, site=site)
class DeviceHealthAdmin(ReadOnlyAdmin):
    """GPUs that failed jobs; after several failures in a row one is left alone for a while."""

    list_display = ("host", "device", "state", "failures", "fallbacks", "open_until", "reason")
    list_filter = ("host", "device")
    search_fields = ("host", "device", "reason")

    @display(label={"tried": "success", "left alone": "danger"})
    def state(self, row: DeviceHealth) -> str:
        is_left = row.open_until is not None and row.open_until > timezone.now()
        return "left alone" if is_left else "tried"
