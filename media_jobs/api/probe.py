from __future__ import annotations

from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.api_view import TenantAPIView
from ffapi_site.lib.openapi import JSON
from ffapi_site.lib.problems import Invalid
from media_jobs.api import job_request
from media_jobs.api.schemas import flat_request
from media_jobs.operations.core import REGISTRY
from media_jobs.worker import inline_run


class Probe(TenantAPIView):
    """The answer comes at once, and no job is made."""

    scopes: ClassVar = {"POST": "jobs:create"}

    @extend_schema(
        request=JSON(flat_request(REGISTRY["probe"])), responses={200: OpenApiTypes.OBJECT}
    )
    def post(self, request: Request) -> Response:
        params = dict(self.sent)
        try:
            return Response(inline_run.answer(self.tenant, "probe", params).data)
        except Invalid as problem:
            raise job_request.flattened(problem) from problem
