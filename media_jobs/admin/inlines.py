"""What belongs to a job, in the tabs of its page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from accounts.admin_site import ReadOnly
from media_jobs.admin import wording
from media_jobs.models import JobAttempt, JobEvent, JobInput, JobOutput, WebhookDelivery


class _ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    related: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related(*self.related) if self.related else rows


class EventInline(_ReadOnlyInline):
    model = JobEvent
    verbose_name_plural = "timeline"
    fields = ("at", "from_status", "to_status", "attempt", "reason")


class AttemptInline(_ReadOnlyInline):
    model = JobAttempt
    verbose_name_plural = "attempts"
    fields = ("number", "slot", "started_at", "finished_at", "outcome", "cpu_seconds")
    readonly_fields = ("cpu_seconds",)

    @admin.display(description="CPU seconds")
    def cpu_seconds(self, attempt: JobAttempt) -> str:
        return str(attempt.receipt.get("cpu_seconds", "-"))


class InputInline(_ReadOnlyInline):
    model = JobInput
    verbose_name_plural = "inputs"
    fields = ("role", "address", "held")
    readonly_fields = ("address", "held")
    related = ("file",)

    def address(self, medium: JobInput) -> str:
        return wording.address(medium.url) or "-"

    @admin.display(description="file")
    def held(self, medium: JobInput) -> SafeString:
        # The constraint is not the database's: the file may be gone.
        found = medium.file if medium.file_id and JobInput.file.is_cached(medium) else None
        return wording.file_link(found, medium.file_id)


class OutputInline(_ReadOnlyInline):
    model = JobOutput
    verbose_name_plural = "outputs"
    fields = ("position", "role", "made", "size")
    readonly_fields = ("made", "size")
    related = ("file",)

    @admin.display(description="file")
    def made(self, output: JobOutput) -> SafeString:
        return wording.file_link(output.file, output.file_id)

    @admin.display(description="bytes")
    def size(self, output: JobOutput) -> int:
        return output.file.size_bytes


class WebhookInline(_ReadOnlyInline):
    model = WebhookDelivery
    verbose_name_plural = "webhooks"
    fields = ("event", "to", "attempt", "last_status", "last_error", "delivered_at")
    readonly_fields = ("to",)

    def to(self, delivery: WebhookDelivery) -> str:
        return wording.address(delivery.url)
