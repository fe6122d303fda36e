from __future__ import annotations

from typing import ClassVar

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.web.page import Page
from ffapi_site.lib.ids import is_public_id
from ffapi_site.lib.problems import Invalid
from media_jobs.engine import jobs
from media_jobs.models import Job
from media_jobs.operations.core import REGISTRY, Operation
from media_jobs.pages.job_form import Entered, JobForm
from storage.models import File

_RECENT_FILES = 100


class NewJob(Page):
    """The form of an operation, made from its declaration; it submits what the API would."""

    scopes: ClassVar[dict[str, str]] = {"GET": "jobs:create", "POST": "jobs:create"}

    def get(self, request: HttpRequest, operation: str) -> HttpResponse:
        kind = self._permitted(operation)
        like = request.GET.get("like")
        entered = Entered.like(kind, self._job(like, kind)) if like else Entered()
        return self.show(JobForm(kind, entered))

    def post(self, request: HttpRequest, operation: str) -> HttpResponse:
        kind = self._permitted(operation)
        entered = Entered.by(kind, request.POST)
        try:
            asked = entered.submission(kind)
            job = jobs.submit(self.visitor.acting_tenant, asked, user=self.visitor.user)
        except Invalid as refused:
            return self.show(JobForm(kind, entered, refused), status=refused.status)
        return redirect("job", job.pk)

    def show(self, form: JobForm, status: int = 200) -> HttpResponse:
        files = File.objects.published().for_tenant(self.visitor.acting_tenant)[:_RECENT_FILES]
        file_ids = {file.pk for file in files}
        return self.render(
            "pages/new_job.html", status=status, form=form, files=files, file_ids=file_ids
        )

    def _permitted(self, operation: str) -> type[Operation]:
        if operation not in REGISTRY:
            raise Http404
        kind = REGISTRY[operation]
        self.visitor.require(kind.scope)
        return kind

    def _job(self, job_id: str, kind: type[Operation]) -> Job:
        jobs_alike = self.visitor.sees(Job.objects.filter(operation=kind.name))
        job = jobs_alike.filter(pk=job_id).first() if is_public_id(job_id) else None
        if job is None:
            raise Http404
        return job


class Compose(NewJob):
    """The older, shorter addresses of some forms."""

    http_method_names = ["get", "head"]
    kinds: ClassVar[dict[str, str]] = {
        "video": "transcode",
        "audio": "audio/normalize",
        "concat": "video/concat",
        "custom": "ffmpeg",
    }

    def get(self, request: HttpRequest, kind: str) -> HttpResponse:
        return super().get(request, self.kinds.get(kind, ""))
