from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from accounts.admin.confirming import confirmed
from accounts.admin_site import site
from media_jobs.admin.filters import OperationFilter
from media_jobs.admin.jobs import JobFacts, person
from media_jobs.engine import jobs
from media_jobs.models import DeadLetter


@admin.register(DeadLetter, site=site)
class DeadLetterAdmin(JobFacts):
    """Jobs that killed their workers: nobody but staff lets them run again."""

    list_display = ("id", "operation", "tenant", "state", "attempt", "quarantined_at")
    list_filter = (OperationFilter, ("tenant", AutocompleteSelectFilter))
    actions = ("requeue", "export")

    def has_view_permission(self, request: HttpRequest, _obj: object = None) -> bool:
        return request.user.has_perm("media_jobs.view_job")

    @confirmed(
        "Let the chosen dead letters run again",
        verb="Requeue",
        done="requeued",
        permissions=["operate"],
        is_dangerous=True,
    )
    def requeue(self, request: HttpRequest, job: DeadLetter) -> None:
        jobs.requeue(job, user=person(request))
