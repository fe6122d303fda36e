from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, ConfigDict
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.api_view import TenantAPIView
from accounts.web.permissions import ANY_KEY
from ffapi_site.lib.problems import NotFound
from media_jobs.operations.core import REGISTRY, Operation, UnknownOperation, find
from media_jobs.planning.availability import reason_against
from media_jobs.planning.placement import reason_against_gpu
from media_jobs.surfaces import plans


class OperationBody(BaseModel):
    """An operation, and the parameters that it takes."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    path: str
    """Where it can be asked for with one flat object."""
    title: str
    description: str
    group: str
    scope: str
    devices: list[str]
    """Where it can be done."""
    missing_devices: dict[str, str]
    """Those of them that this installation lacks at present, and why: the CPU does it there."""
    params_schema: dict[str, Any]
    """JSON Schema of ``params``."""
    examples: list[dict[str, Any]]
    available: bool
    reason: str | None
    """What this installation lacks for it."""


class CatalogueBody(BaseModel):
    results: list[OperationBody]


def tell(operation: type[Operation], against_gpu: str | None) -> dict[str, Any]:
    reason = reason_against(operation)
    has_gpu = operation.device != "cpu"
    return OperationBody(
        name=operation.name,
        path=f"/v1/{operation.path}",
        title=operation.title(),
        description=operation.description(),
        group=operation.group,
        scope=operation.scope,
        missing_devices={"gpu": against_gpu} if has_gpu and against_gpu else {},
        devices=["cpu", "gpu"] if operation.device == "any" else [operation.device],
        params_schema=operation.model_json_schema(),
        examples=[
            {"title": each.title, "params": plans.request(operation, each)}
            for each in operation.examples
        ],
        available=reason is None,
        reason=reason,
    ).model_dump(mode="json")


class Catalogue(TenantAPIView):
    scopes: ClassVar = {"GET": ANY_KEY}

    @extend_schema(responses=CatalogueBody)
    def get(self, request: Request) -> Response:
        """All that can be asked for."""
        against_gpu = reason_against_gpu()
        told = [tell(REGISTRY[name], against_gpu) for name in sorted(REGISTRY)]
        return Response({"results": told})


class OneOperation(TenantAPIView):
    scopes: ClassVar = {"GET": ANY_KEY}

    @extend_schema(responses=OperationBody)
    def get(self, request: Request, name: str) -> Response:
        """One operation."""
        try:
            return Response(tell(find(name), reason_against_gpu()))
        except UnknownOperation as error:
            raise NotFound from error
