from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.web.page import Page
from media_jobs.engine.queue_position import Place, places
from media_jobs.models import Job, JobAttempt, Status
from storage.pages.file_links import FileLink, link

_LOG_TAIL_LINES = 60


@dataclass(frozen=True)
class JobFacts:
    """A job as its page tells it."""

    job: Job

    @cached_property
    def attempts(self) -> list[JobAttempt]:
        return list(self.job.attempts.all())

    @property
    def last_attempt(self) -> JobAttempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def log_tail(self) -> str:
        log = self.last_attempt.log if self.last_attempt else ""
        return "\n".join(log.splitlines()[-_LOG_TAIL_LINES:])

    @property
    def receipt(self) -> dict[str, Any]:
        return self.last_attempt.receipt if self.last_attempt else {}

    @cached_property
    def outputs(self) -> list[FileLink]:
        if self.job.status != Status.COMPLETED:
            return []
        return [link(output.file) for output in self.job.outputs.select_related("file")]

    @cached_property
    def place(self) -> Place | None:
        """Where it stands in the queue; None for a job that has started."""
        return places([self.job]).get(self.job.id)

    @property
    def starts_in_s(self) -> float | None:
        """An estimate, while the job is queued."""
        starts_at = self.place.starts_at if self.place else None
        return max((starts_at - timezone.now()).total_seconds(), 0.0) if starts_at else None

    @property
    def is_canceling(self) -> bool:
        return not self.job.is_final and self.job.cancel_requested_at is not None


class JobPage(Page):
    """One job, from waiting to its result playing; ``fragment`` is the part that is live."""

    template = "pages/job.html"

    def get(self, _request: HttpRequest, job_id: str) -> HttpResponse:
        jobs = self.visitor.sees(Job.objects.all()).select_related("tenant", "user", "api_key")
        job = get_object_or_404(jobs, pk=job_id)
        return self.render(
            self.template,
            job=job,
            facts=JobFacts(job),
            inputs=job.inputs.select_related("file"),
            events=job.events.all(),
        )


class JobFragment(JobPage):
    template = "pages/_job_live.html"


class JobLog(Page):
    """All that FFmpeg said, in every attempt, as plain text."""

    def get(self, _request: HttpRequest, job_id: str) -> HttpResponse:
        job = get_object_or_404(self.visitor.sees(Job.objects.all()), pk=job_id)
        logs = [f"# attempt {attempt.number}\n{attempt.log}" for attempt in job.attempts.all()]
        return HttpResponse("\n".join(logs), content_type="text/plain; charset=utf-8")
