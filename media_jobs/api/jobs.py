from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.api_view import TenantAPIView
from ffapi_site.lib import bodies, ongoing
from ffapi_site.lib.client_address import client_address
from ffapi_site.lib.openapi import JSON, PAGING, page_of
from ffapi_site.lib.renderers import EventStream, PlainText
from media_jobs.api import event_stream, job_schemas
from media_jobs.api.answers import MakesJobs
from media_jobs.api.job_list import FILTERS, filtered
from media_jobs.api.job_schemas import JobBody, list_to_json, to_json
from media_jobs.api.openapi import JOB_MADE, PREFER, QUERY
from media_jobs.api.schemas import JOB_REQUEST
from media_jobs.engine import jobs
from media_jobs.models import Job
from media_jobs.operations.core import UnknownOperation, find


class Jobs(MakesJobs):
    scopes: ClassVar = {"GET": "jobs:read", "POST": "jobs:create"}

    @extend_schema(parameters=[*QUERY, *PAGING], responses=page_of("JobBody"))
    def get(self, request: Request) -> Response:
        """The tenant's jobs, the newest first."""
        return self.page(filtered(request, self.tenant), list_to_json, filters=FILTERS)

    @extend_schema(request=JSON(JOB_REQUEST), parameters=[PREFER], responses=JOB_MADE)
    def post(self, request: Request) -> Response:
        """Submit a job for any operation."""
        submission = job_schemas.read(self.sent)
        self.caller.require(scope_of(submission.operation))
        key = self.caller.api_key
        return self.answer_with(lambda: jobs.submit(self.tenant, submission, api_key=key))


def scope_of(operation: str) -> str:
    """The scope that an operation needs; an unknown one is refused later, by its name."""
    try:
        return find(operation).scope
    except UnknownOperation:
        return "jobs:create"


class OneJob(TenantAPIView):
    scopes: ClassVar = {"GET": "jobs:read", "DELETE": "jobs:cancel"}

    @extend_schema(responses=JobBody)
    def get(self, request: Request, job_id: str) -> Response:
        """One job; its outputs are there once it is completed."""
        return Response(to_json(self.own(Job.objects.all(), job_id)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, job_id: str) -> Response:
        """Delete an ended job and the files it made, which takes the scope `files:delete` too."""
        job = self.own(Job.objects.all(), job_id)
        for scope in jobs.needed_to_delete(job):
            self.caller.require(scope)
        jobs.delete(job)
        return Response(status=204)


class JobLog(TenantAPIView):
    scopes: ClassVar = {"GET": "jobs:read"}
    renderer_classes = [PlainText]

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request, job_id: str) -> HttpResponse:
        """What FFmpeg said in each attempt."""
        job = self.own(Job.objects.all(), job_id)
        attempts = job.attempts.values_list("number", "slot", "started_at", "outcome", "log")
        parts = [
            f"== attempt {number} on {slot}, {started:%Y-%m-%dT%H:%M:%SZ}: {outcome or 'running'}\n"
            f"{log}"
            for number, slot, started, outcome, log in attempts
        ]
        return HttpResponse("\n".join(parts), content_type="text/plain; charset=utf-8")


class JobEvents(TenantAPIView):
    scopes: ClassVar = {"GET": "jobs:read"}
    renderer_classes = [EventStream]

    @extend_schema(responses={(200, "text/event-stream"): OpenApiTypes.STR})
    def get(self, request: Request, job_id: str) -> StreamingHttpResponse:
        """Server-sent events: the job at once (`event: job`), and again after each change."""
        job = self.own(Job.objects.all(), job_id)
        place = ongoing.STREAMS.take(self.tenant.pk)
        address = client_address(request._request)  # noqa: SLF001 -- DRF has no public name
        listener = event_stream.Listener(self.caller.api_key, address)
        headers = {"X-Accel-Buffering": "no"}  # a proxy must pass each event on at once
        response = StreamingHttpResponse(
            event_stream.events(job.id, listener),
            content_type="text/event-stream",
            headers=headers,
        )
        place.go_with(response)
        return response


class CancelJob(TenantAPIView):
    scopes: ClassVar = {"POST": "jobs:cancel"}

    @extend_schema(request=None, responses={200: JobBody, 202: JobBody})
    def post(self, request: Request, job_id: str) -> Response:
        """End a job before its time: 200 where it ended at once, 202 while its worker stops."""
        bodies.read_nothing(self.sent)
        job = jobs.cancel(self.own(Job.objects.all(), job_id))
        return Response(to_json(job), status=200 if job.is_final else 202)


class RetryJob(MakesJobs):
    scopes: ClassVar = {"POST": "jobs:create"}

    @extend_schema(request=None, parameters=[PREFER], responses=JOB_MADE)
    def post(self, request: Request, job_id: str) -> Response:
        """Submit an ended job's request again, as a new job."""
        bodies.read_nothing(self.sent)
        job = self.own(Job.objects.all(), job_id)
        self.caller.require(scope_of(job.operation))
        key = self.caller.api_key
        return self.answer_with(lambda: jobs.retry(job, api_key=key))
