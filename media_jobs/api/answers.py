"""How whatever makes a job answers: 200 with the finished job for who waited, else 202."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from rest_framework.response import Response

from accounts.roles import allows
from accounts.web.api_view import TenantAPIView
from media_jobs.api.job_schemas import to_json
from media_jobs.api.waiting import wait_for_end, wanted_wait_s
from media_jobs.models import Job


class MakesJobs(TenantAPIView):
    """The base of the views that make a job."""

    def answer_with(self, make: Callable[[], Job]) -> Response:
        """Make the job, once for an ``Idempotency-Key`` whatever crashes, and answer with it."""
        job = self.made_before(Job.objects.all()) or self._make(make)
        # Whoever may only submit is not told what came of it: a preference may go unheeded.
        may_read = allows(self.caller.scopes, "jobs:read")
        wait_s = wanted_wait_s(self.request) if may_read else None
        waited = wait_s is not None and wait_for_end(job, wait_s)
        if waited:
            job = Job.objects.get(pk=job.pk)
        headers = {"Location": f"/v1/jobs/{job.id}"}
        if waited:
            headers["Preference-Applied"] = f"wait={wait_s}"
        return Response(
            to_json(job), status=200 if waited and job.is_final else 202, headers=headers
        )

    def _make(self, make: Callable[[], Job]) -> Job:
        if not self.claim:
            return make()
        with transaction.atomic():
            job = make()
            self.note_made(job)
        return job
