from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict

from accounts.web.cursor import cursor_page
from accounts.web.page import Page, wants_fragment
from ffapi_site.lib import query
from ffapi_site.lib.ids import is_public_id
from media_jobs.models import Job, JobQuerySet, Status
from media_jobs.operations.core import REGISTRY

_SEARCH_LENGTH = 200


class JobList(Page):
    """The newest jobs; while any of those shown is active the table asks for itself again."""

    def get(self, request: HttpRequest) -> HttpResponse:
        jobs = _filtered(self.visitor.sees(Job.objects.all()), request.GET)
        page = cursor_page(request, jobs.select_related("tenant").prefetch_related("inputs__file"))
        return self.render(
            "pages/_job_table.html" if wants_fragment(request) else "pages/jobs.html",
            page=page,
            is_live=any(not job.is_final for job in page.rows),
            is_filtered=any(request.GET.get(key) for key in ("status", "operation", "search")),
            chosen=request.GET,
            statuses=Status.values,
            operations=sorted(REGISTRY),
        )


def _filtered(jobs: JobQuerySet, asked: QueryDict) -> JobQuerySet:
    if status := query.chosen(asked, "status", Status.values):
        jobs = jobs.filter(status=status)
    if operation := query.chosen(asked, "operation", sorted(REGISTRY)):
        jobs = jobs.filter(operation=operation)
    if text := asked.get("search", "").strip()[:_SEARCH_LENGTH]:
        if is_public_id(text):
            return jobs.filter(pk=text)
        of_input = Q(inputs__url__icontains=text) | Q(inputs__file__name__icontains=text)
        return jobs.searchable().filter(Q(output_name__icontains=text) | of_input).distinct()
    return jobs
