from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.admin_site import ReadOnly, ReadOnlyAdmin, site
from accounts.models import User
from ffapi_site.lib.problems import Problem
from media_jobs import jobs
from media_jobs.models import (
    Job,
    JobAttempt,
    JobEvent,
    JobInput,
    JobOutput,
    Slot,
    Status,
    WebhookDelivery,
)


class _ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    tab = True


class EventInline(_ReadOnlyInline):
    model = JobEvent
    fields = ("at", "from_status", "to_status", "attempt", "reason")


class AttemptInline(_ReadOnlyInline):
    model = JobAttempt
    fields = ("number", "slot", "started_at", "finished_at", "outcome", "log")


class InputInline(_ReadOnlyInline):
    model = JobInput
    fields = ("role", "url", "file")


class OutputInline(_ReadOnlyInline):
    model = JobOutput
    fields = ("position", "role", "file")


@admin.register(Job, site=site)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("id", "operation", "tenant", "state", "priority", "attempt", "created_at")
    list_filter = (
        "status",
        "operation",
        "priority",
        "lane",
        ("quarantined_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("tenant",)
    search_fields = ("id", "tenant__name", "operation", "output_name")
    date_hierarchy = "created_at"
    show_full_result_count = False  # a count of every row at each look is dear on a large table
    inlines: ClassVar = [EventInline, AttemptInline, InputInline, OutputInline]
    actions = ("cancel", "retry", "requeue")

    @display(
        ordering="status",
        description="status",
        label={
            Status.RUNNING: "info",
            Status.COMPLETED: "success",
            Status.FAILED: "danger",
            Status.CANCELED: "warning",
        },
    )
    def state(self, job: Job) -> str:
        return job.status

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("media_jobs.change_job")

    @admin.action(description="Cancel the selected jobs", permissions=["operate"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        self._each(request, chosen, jobs.cancel, "canceled")

    @admin.action(description="Run the selected jobs again", permissions=["operate"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        person = _person(request)
        self._each(request, chosen, lambda job: jobs.retry(job, user=person), "submitted again")

    @admin.action(description="Requeue the selected dead letters", permissions=["operate"])
    def requeue(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        person = _person(request)
        self._each(request, chosen, lambda job: jobs.requeue(job, user=person), "requeued")

    def _each(
        self,
        request: HttpRequest,
        chosen: QuerySet[Job],
        act: Callable[[Job], Job],
        done: str,
    ) -> None:
        """Act on each job by itself: one that can't be acted on is told, the others go on."""
        acted = 0
        for job in chosen.select_related("tenant"):
            try:
                act(job)
                acted += 1
            except Problem as problem:
                self.message_user(request, f"{job.pk}: {problem.detail}", messages.WARNING)
        if acted:
            self.message_user(request, f"{acted} {done}.", messages.SUCCESS)


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


@admin.register(Slot, site=site)
class SlotAdmin(ReadOnlyAdmin):
    list_display = ("name", "lane", "host", "pid", "started_at", "heartbeat_at")
    list_filter = ("lane",)
    search_fields = ("name",)


@admin.register(WebhookDelivery, site=site)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("id", "tenant", "event", "url", "attempt", "last_status", "delivered_at")
    list_filter = ("event", ("delivered_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant",)
    search_fields = ("id", "url", "tenant__name")
