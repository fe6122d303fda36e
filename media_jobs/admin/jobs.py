from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)
from unfold.decorators import display

from accounts.admin.confirming import confirmed
from accounts.admin.days import DaysFilter
from accounts.admin.exporting import Exports
from accounts.admin.listed import by
from accounts.admin_site import ReadOnlyAdmin, site
from accounts.audit_events import AuditEvent
from accounts.models import User
from media_jobs.admin import wording
from media_jobs.admin.filters import FailureFilter, OperationFilter
from media_jobs.admin.inlines import (
    AttemptInline,
    EventInline,
    InputInline,
    OutputInline,
    WebhookInline,
)
from media_jobs.engine import jobs
from media_jobs.models import Job, JobAttempt, Status
from media_jobs.models.job import Lane

_LOG_LINES = 200
LABELS = {
    Status.RUNNING: "info",
    Status.COMPLETED: "success",
    Status.FAILED: "danger",
    Status.CANCELED: "warning",
}


class JobFacts(Exports, ReadOnlyAdmin):
    """A job as staff look at it, whichever list led to it."""

    list_filter_submit = True
    list_select_related = ("tenant",)
    search_fields = ("id", "tenant__name", "operation", "output_name", "inputs__file__id")
    show_full_result_count = False  # a count of every row at each look is dear on a large table
    inlines: ClassVar = [EventInline, AttemptInline, InputInline, OutputInline, WebhookInline]
    exported = ("id", "tenant", "operation", "status", "created_at", "finished_at", "attempt")
    exported_as = AuditEvent.JOB_EXPORTED
    readonly_fields = (
        *("state", "owner", "by", "took", "asked", "about", "told_to"),
        *("command", "log", "receipt", "came_of_it", "problem"),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state", "operation"),
                    ("owner", "by"),
                    ("priority", "lane", "device"),
                    ("created_at", "started_at"),
                    ("finished_at", "took"),
                    ("attempt", "max_attempts", "slot"),
                    "quarantined_at",
                    "problem",
                )
            },
        ),
        ("Request", {"fields": ("asked", "about", "told_to"), "classes": ["tab"]}),
        ("Command", {"fields": ("command",), "classes": ["tab"]}),
        ("Log", {"fields": ("log",), "classes": ["tab"]}),
        ("Receipt", {"fields": ("came_of_it", "receipt"), "classes": ["tab"]}),
    )

    @display(ordering="status", description="status", label=LABELS)
    def state(self, job: Job) -> str:
        return job.status

    @admin.display(description="tenant", ordering="tenant")
    def owner(self, job: Job) -> SafeString:
        return wording.tenant_link(job.tenant)

    @admin.display(description="submitted by")
    def by(self, job: Job) -> str:
        return str(job.api_key or job.user or "-")

    @admin.display(description="took")
    def took(self, job: Job) -> str:
        seconds = job.usage.get("wall_seconds")
        return "-" if seconds is None else f"{seconds} s"

    @admin.display(description="parameters")
    def asked(self, job: Job) -> SafeString:
        return wording.as_json(job.params)

    @admin.display(description="said about it")
    def about(self, job: Job) -> SafeString:
        said = {"output_name": job.output_name, "tags": job.tags, "metadata": job.metadata}
        return wording.as_json({name: value for name, value in said.items() if value})

    @admin.display(description="webhook")
    def told_to(self, job: Job) -> str:
        return wording.address(job.webhook_url) or "not set"

    @admin.display(description="what ran in the last attempt")
    def command(self, job: Job) -> SafeString:
        last = _last_attempt(job)
        return wording.as_text(wording.command_lines(last.receipt) if last else "")

    def log(self, job: Job) -> SafeString:
        last = _last_attempt(job)
        lines = last.log.splitlines()[-_LOG_LINES:] if last else []
        whole = reverse("job_log", args=[job.pk])
        link = format_html('<a class="ffapi-link" href="{}">The whole log</a>', whole)
        return wording.as_text("\n".join(lines)) + link

    def receipt(self, job: Job) -> SafeString:
        last = _last_attempt(job)
        told = {k: v for k, v in last.receipt.items() if k != "commands"} if last else {}
        return wording.as_json(told)

    @admin.display(description="result")
    def came_of_it(self, job: Job) -> SafeString:
        told = {"result": job.result, "warnings": job.warnings, "fallback": job.fallback}
        return wording.as_json({name: value for name, value in told.items() if value})

    @admin.display(description="error")
    def problem(self, job: Job) -> SafeString:
        return wording.as_json(job.error)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("media_jobs.change_job")


def _last_attempt(job: Any) -> JobAttempt | None:
    """Read once for the several fields that tell of it."""
    if not hasattr(job, "_last_attempt"):
        job._last_attempt = job.attempts.last()  # noqa: SLF001 -- ours
    found: JobAttempt | None = job._last_attempt  # noqa: SLF001 -- ours
    return found


@admin.register(Job, site=site)
class JobAdmin(JobFacts):
    list_display = (
        *("id", "operation", "tenant", "state", "failure"),
        *("priority", "lane", "attempt", "created_at"),
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        OperationFilter,
        ("tenant", AutocompleteSelectFilter),
        by("lane", Lane),
        "priority",
        FailureFilter,
        ("created_at", DaysFilter),
        ("quarantined_at", admin.EmptyFieldListFilter),
    )
    actions = ("cancel", "retry", "remove", "export")

    def fits(self, action: str, row: Job) -> bool:
        unfit = {"cancel": row.is_final, "retry": not row.is_final, "remove": not row.is_final}
        return not unfit.get(action)

    @display(description="failure")
    def failure(self, job: Job) -> str:
        return str((job.error or {}).get("code", "")).replace("_", " ")

    @confirmed(
        "Cancel the chosen jobs",
        verb="Cancel the jobs",
        done="canceled",
        permissions=["operate"],
        is_dangerous=True,
    )
    def cancel(self, _request: HttpRequest, job: Job) -> None:
        jobs.cancel(job)

    @confirmed(
        "Run the chosen jobs again",
        verb="Run again",
        done="submitted again",
        permissions=["operate"],
    )
    def retry(self, request: HttpRequest, job: Job) -> None:
        jobs.retry(job, user=person(request))

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("media_jobs.delete_job")

    @confirmed(
        "Delete the chosen jobs and the files they made",
        verb="Delete them",
        done="deleted",
        permissions=["remove"],
        is_dangerous=True,
    )
    def remove(self, _request: HttpRequest, job: Job) -> None:
        jobs.delete(job)


def person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
