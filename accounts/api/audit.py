"""The audit log of a tenant: to search, to export, and what is needed to check it."""

from __future__ import annotations

from typing import ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.audit_schemas import AuditRecordBody, CheckpointBody, PublicKeysBody
from accounts.audit_chain import download, state
from accounts.audit_chain.selection import Selection
from accounts.audit_chain.serializers import to_json
from accounts.audit_events import AuditEvent
from accounts.models import AuditCheckpoint, AuditRecord
from accounts.web.api_view import TenantAPIView
from ffapi_site.lib import query
from ffapi_site.lib.openapi import PAGING, page_of, query_parameter
from ffapi_site.lib.problems import NotFound

_FILTERS = ("start", "end", "actor", "event_type", "resource")
_EVENTS = [str(event) for event in AuditEvent]


def _selection(view: TenantAPIView, request: Request) -> Selection:
    return Selection(
        view.tenant,
        start=query.moment(request, "start"),
        end=query.moment(request, "end"),
        actor=query.text(request, "actor") or "",
        event_type=query.choice(request, "event_type", _EVENTS) or "",
        resource=query.text(request, "resource") or "",
    )


_QUERY = [
    query_parameter("start", "From this time on", OpenApiTypes.DATETIME),
    query_parameter("end", "Before this time", OpenApiTypes.DATETIME),
    query_parameter("actor", "An actor's id, name or type"),
    query_parameter("event_type", "What happened", enum=_EVENTS),
    query_parameter("resource", "The id, or the type, of what it happened to"),
]
_FORMAT = query_parameter("format", "JSON lines where it is not given", enum=download.FORMATS)


class AuditLog(TenantAPIView):
    scopes: ClassVar = {"GET": "audit:read"}
    orderings: ClassVar = {"timestamp": "id"}

    @extend_schema(parameters=[*_QUERY, *PAGING], responses=page_of("AuditRecordBody"))
    def get(self, request: Request) -> Response:
        """What happened in the tenant: who did what, to what, from where, with what outcome."""
        rows = _selection(self, request).records()
        return self.page(rows, lambda found: [to_json(each) for each in found], filters=_FILTERS)


class OneAuditRecord(TenantAPIView):
    scopes: ClassVar = {"GET": "audit:read"}

    @extend_schema(responses=AuditRecordBody)
    def get(self, request: Request, record_id: str) -> Response:
        """One record."""
        return Response(to_json(self.own(AuditRecord.objects.all(), record_id)))


class AuditExport(TenantAPIView):
    scopes: ClassVar = {"GET": "audit:read"}

    @extend_schema(
        parameters=[*_QUERY, _FORMAT],
        responses={
            (200, kind.partition(";")[0]): OpenApiTypes.BINARY
            for kind in download.CONTENT_TYPES.values()
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The log as a file: JSON lines, CSV, or a signed bundle that is verified offline.

        The export is itself recorded. A bundle holds every record of a stretch of time, so only
        `start` and `end` narrow it.
        """
        query.only(request, (*_FILTERS, "format"))
        form = query.choice(request, "format", download.FORMATS) or "jsonl"
        asked = request._request  # noqa: SLF001 -- DRF has no public name
        return download.respond(asked, _selection(self, request), form)


class AuditKeys(TenantAPIView):
    scopes: ClassVar = {"GET": "audit:read"}

    @extend_schema(responses=PublicKeysBody)
    def get(self, request: Request) -> Response:
        """The public keys that sign the log, oldest first, with their fingerprints."""
        query.only(request, ())
        return Response({"results": state.public_keys()})


class AuditCheckpoints(TenantAPIView):
    scopes: ClassVar = {"GET": "audit:read"}
    orderings: ClassVar = {"number": "number"}

    @extend_schema(parameters=PAGING, responses=page_of("CheckpointBody"))
    def get(self, request: Request) -> Response:
        """The signed states of the tenant's chain, the newest first."""
        rows = AuditCheckpoint.objects.all()
        return self.page(rows, lambda found: [each.envelope for each in found])


class LatestAuditCheckpoint(TenantAPIView):
    scopes: ClassVar = {"GET": "audit:read"}
    also_answers: ClassVar = (404,)

    @extend_schema(responses=CheckpointBody)
    def get(self, request: Request) -> Response:
        """The newest signed state: keep it, and no rewrite of what is before it escapes you."""
        query.only(request, ())
        newest = AuditCheckpoint.objects.for_tenant(self.tenant).order_by("-number").first()
        if newest is None:
            raise NotFound("the first checkpoint is made within a minute of the first record")
        return Response(newest.envelope)
