from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.admin_site import ReadOnlyAdmin, site
from media_jobs.admin import wording
from media_jobs.models import Job, Slot, Status
from media_jobs.models.slot import SILENT


@admin.register(Slot, site=site)
class SlotAdmin(ReadOnlyAdmin):
    """Where jobs run: whether each place is alive, what it does and how its sandbox holds."""

    list_display = ("name", "state", "lane", "host", "doing", "sandbox_level", "heartbeat_at")
    list_filter = ("lane", "host")
    search_fields = ("name", "host")
    fields = (
        ("state", "lane"),
        ("host", "pid"),
        ("started_at", "heartbeat_at"),
        ("hung", "troubles"),
        "doing",
        ("memory_mb", "scratch_mb"),
        ("program", "sandbox_level"),
        "builds",
        "layers",
        "kinds",
    )
    readonly_fields = ("state", "doing", "sandbox_level", "program", "builds", "layers", "kinds")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Slot]:
        running = Job.objects.filter(status=Status.RUNNING, slot=OuterRef("name"))
        rows: QuerySet[Slot] = super().get_queryset(request)
        return rows.annotate(job=Subquery(running.values("pk")[:1]))

    @display(label={"alive": "success", "hung": "danger", "silent": "danger"})
    def state(self, slot: Slot) -> str:
        if slot.heartbeat_at <= timezone.now() - SILENT:
            return "silent"
        return "hung" if slot.hung else "alive"

    @admin.display(description="job")
    def doing(self, slot: Any) -> SafeString | str:
        return wording.job_link(slot.job) if slot.job else "-"

    @display(
        description="sandbox", label={"full": "success", "reduced": "warning", "none": "danger"}
    )
    def sandbox_level(self, slot: Slot) -> str:
        return str(slot.sandbox.get("level", "unknown"))

    @admin.display(description="FFmpeg")
    def program(self, slot: Slot) -> str:
        return str(slot.capabilities.get("version", "unknown"))

    @admin.display(description="builds of FFmpeg")
    def builds(self, slot: Slot) -> SafeString:
        return wording.as_json(slot.capabilities.get("builds", []))

    @admin.display(description="sandbox in full")
    def layers(self, slot: Slot) -> SafeString:
        return wording.as_json(slot.sandbox)

    @admin.display(description="devices")
    def kinds(self, slot: Slot) -> SafeString:
        return wording.as_json(slot.devices)
