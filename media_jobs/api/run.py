"""Each operation at an address of its own, which takes its parameters as one flat object."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.api_view import TenantAPIView
from ffapi_site.lib.openapi import JSON
from ffapi_site.lib.problems import Invalid
from media_jobs.api import job_schemas
from media_jobs.api.answers import MakesJobs
from media_jobs.api.openapi import JOB_MADE, PREFER
from media_jobs.api.schemas import flat_request
from media_jobs.engine import jobs
from media_jobs.operations.core import Operation, from_flat
from media_jobs.worker import inline_run


class MakeJob(MakesJobs):
    operation: ClassVar[str]

    def post(self, request: Request) -> Response:
        params, options = from_flat(self.operation, self.sent)
        key = self.caller.api_key
        try:
            submission = job_schemas.read({"operation": self.operation, "params": params} | options)
            return self.answer_with(lambda: jobs.submit(self.tenant, submission, api_key=key))
        except Invalid as problem:
            raise job_schemas.flattened(problem) from problem


class AnswerAtOnce(TenantAPIView):
    operation: ClassVar[str]

    def post(self, request: Request) -> Response:
        try:
            answer = inline_run.answer(self.tenant, self.operation, dict(self.sent))
            return Response(answer.data)
        except Invalid as problem:
            raise job_schemas.flattened(problem) from problem


def view_of(operation: type[Operation]) -> type[TenantAPIView]:
    """A class for each, so that OpenAPI can describe it: by the declaration."""
    base: Any = MakeJob
    text, answers, parameters = operation.description(), JOB_MADE, [PREFER]
    if operation.is_synchronous:
        base = AnswerAtOnce
        text += "\n\nThe answer comes at once, and no job is made."
        answers, parameters = {200: OpenApiTypes.OBJECT}, []

    @extend_schema(
        request=JSON(flat_request(operation)),
        parameters=parameters,
        responses=answers,
        summary=operation.title(),
        description=text,
    )
    def post(self: Any, request: Request) -> Response:
        answer: Response = base.post(self, request)
        return answer

    facts = {
        "operation": operation.name,
        "section": operation.section,
        "scopes": {"POST": operation.scope},
        "post": post,
    }
    return type(base.__name__, (base,), facts)
