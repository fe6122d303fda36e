from __future__ import annotations

from typing import ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from accounts.web.page import Page
from media_jobs.engine import jobs
from media_jobs.models import Job
from media_jobs.operations.core import find


class JobAction(Page):
    """Something that a button on the job's page does."""

    http_method_names = ["post"]

    def job(self, job_id: str) -> Job:
        rows = Job.objects.for_tenant(self.visitor.acting_tenant)
        return get_object_or_404(rows, pk=job_id)


class CancelJob(JobAction):
    scopes: ClassVar[dict[str, str]] = {"POST": "jobs:cancel"}

    def post(self, _request: HttpRequest, job_id: str) -> HttpResponse:
        job = jobs.cancel(self.job(job_id))
        return redirect("job", job.pk)


class RetryJob(JobAction):
    scopes: ClassVar[dict[str, str]] = {"POST": "jobs:create"}

    def post(self, request: HttpRequest, job_id: str) -> HttpResponse:
        ended = self.job(job_id)
        self.visitor.require(find(ended.operation).scope)
        job = jobs.retry(ended, user=self.visitor.user)
        messages.success(request, "Started again as this new job.")
        return redirect("job", job.pk)


class DeleteJob(JobAction):
    scopes: ClassVar[dict[str, str]] = {"POST": "jobs:cancel"}

    def post(self, request: HttpRequest, job_id: str) -> HttpResponse:
        job = self.job(job_id)
        for scope in jobs.needed_to_delete(job):
            self.visitor.require(scope)
        jobs.delete(job)
        messages.success(request, "The job and its outputs are deleted.")
        return redirect("jobs")
