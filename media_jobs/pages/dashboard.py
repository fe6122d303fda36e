from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Q
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from accounts.web.page import Page, wants_fragment
from ffapi_site.lib import scope
from media_jobs.models import Job, JobQuerySet, Slot, Status

_SHOWN = 5
_RECENT = timedelta(days=1)


class Dashboard(Page):
    """What is going on now, and what lately went wrong."""

    def get(self, request: HttpRequest) -> HttpResponse:
        jobs = self.visitor.sees(Job.objects.all())
        counts = _counts(jobs)
        newest = jobs.select_related("tenant").prefetch_related("inputs__file")
        return self.render(
            "pages/_overview.html" if wants_fragment(request) else "pages/dashboard.html",
            counts=counts,
            is_live=bool(counts["queued"] or counts["running"]),
            running=newest.filter(status=Status.RUNNING)[:_SHOWN],
            failures=newest.filter(status=Status.FAILED)[:_SHOWN],
            latest=newest[:_SHOWN],
            slots=_slots(),
        )


def _counts(jobs: JobQuerySet) -> dict[str, int]:
    """Count the jobs that wait or run now, and those that ended within a day."""
    lately = Q(finished_at__gt=Now() - _RECENT)
    return jobs.filter(Q(finished_at=None) | lately).aggregate(
        **{status: Count("pk", filter=Q(status=status)) for status in Status.values}
    )


def _slots() -> dict[str, int]:
    """Count the places where jobs run; how many are busy is known by the jobs that run there."""
    alive = set(Slot.objects.working().values_list("name", flat=True))
    with scope.within(scope.EVERY_TENANT):  # a number, whosever jobs they are
        busy = Job.objects.filter(status=Status.RUNNING, slot__in=alive).count()
    return {"alive": len(alive), "busy": busy, "free": max(0, len(alive) - busy)}
