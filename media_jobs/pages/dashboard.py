from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Q
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from accounts.web.page import Page, wants_fragment
from ffapi_site.lib import scope
from media_jobs.models import Job, Slot, Status

_SHOWN = 5
_RECENT = timedelta(days=1)
_BY_STATUS = {status: Count("pk", filter=Q(status=status)) for status in Status.values}


class Dashboard(Page):
    """What is going on now, and what lately went wrong."""

    def get(self, request: HttpRequest) -> HttpResponse:
        jobs = self.visitor.sees(Job.objects.all())
        # What waits or runs now, and what ended within a day.
        lately = jobs.filter(Q(finished_at=None) | Q(finished_at__gt=Now() - _RECENT))
        counts = lately.aggregate(**_BY_STATUS)
        newest = jobs.select_related("tenant").prefetch_related("inputs__file")
        # How many places are busy is known by the jobs that run there.
        alive = set(Slot.objects.working().values_list("name", flat=True))
        with scope.within(scope.EVERY_TENANT):  # a number, whosever jobs they are
            busy = Job.objects.filter(status=Status.RUNNING, slot__in=alive).count()
        return self.render(
            "pages/_overview.html" if wants_fragment(request) else "pages/dashboard.html",
            counts=counts,
            is_live=bool(counts["queued"] or counts["running"]),
            running=newest.filter(status=Status.RUNNING)[:_SHOWN],
            failures=newest.filter(status=Status.FAILED)[:_SHOWN],
            latest=newest[:_SHOWN],
            slots={"alive": len(alive), "busy": busy, "free": max(0, len(alive) - busy)},
        )
