from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.api_view import TenantAPIView
from accounts.web.permissions import ANY_KEY
from ffapi_site.lib.problems import NotFound
from media_jobs.api.operation_schemas import CatalogueBody, OperationBody, to_json
from media_jobs.models import Slot
from media_jobs.operations.core import REGISTRY, UnknownOperation, find
from media_jobs.planning.placement import reason_against_gpu


class Catalogue(TenantAPIView):
    scopes: ClassVar = {"GET": ANY_KEY}

    @extend_schema(responses=CatalogueBody)
    def get(self, request: Request) -> Response:
        """All that can be asked for."""
        against_gpu = reason_against_gpu()
        results = [to_json(REGISTRY[name], against_gpu) for name in sorted(REGISTRY)]
        return Response({"results": results, "builds": Slot.objects.alive().builds()})


class OneOperation(TenantAPIView):
    scopes: ClassVar = {"GET": ANY_KEY}

    @extend_schema(responses=OperationBody)
    def get(self, request: Request, name: str) -> Response:
        """One operation."""
        try:
            return Response(to_json(find(name), reason_against_gpu()))
        except UnknownOperation as error:
            raise NotFound from error
