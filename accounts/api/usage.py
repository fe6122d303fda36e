from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.usage_schemas import UsageBody, row_to_json
from accounts.models import UsageEntry
from accounts.usage import csv_sheet, report
from accounts.usage.period import period_of
from accounts.web.api_view import TenantAPIView
from ffapi_site.lib import query
from ffapi_site.lib.dispositions import content_disposition
from ffapi_site.lib.openapi import query_parameter
from ffapi_site.lib.renderers import Csv

_QUERY = [
    query_parameter("from", "First day, in UTC; 30 days ago when absent", OpenApiTypes.DATE),
    query_parameter("to", "Last day; today when absent", OpenApiTypes.DATE),
    query_parameter("group_by", "What a row is about", enum=list(report.GROUPS), default="day"),
    query_parameter("format", "`csv` is the same as `Accept: text/csv`", enum=["json", "csv"]),
]


class Usage(TenantAPIView):
    scopes: ClassVar = {"GET": "usage:read"}
    renderer_classes = [JSONRenderer, Csv]

    @extend_schema(
        parameters=_QUERY,
        responses={(200, "application/json"): UsageBody, (200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response | HttpResponse:
        """What ended jobs did cost, by day, operation or key, as JSON or CSV.

        Deleted jobs are in it: it is told from a ledger that is written when a job ends.
        """
        query.only(request, ("from", "to", "group_by", "format"))
        group_by = query.choice(request, "group_by", report.GROUPS) or "day"
        wanted = query.choice(request, "format", ("json", "csv"))
        period = period_of(query.text(request, "from"), query.text(request, "to"))
        found = report.rows(UsageEntry.objects.for_tenant(self.tenant), period, group_by)
        if (wanted or str(request.accepted_renderer.format)) == "csv":
            response = HttpResponse(
                csv_sheet.write(group_by, found, settings.USAGE_CURRENCY),
                content_type="text/csv; charset=utf-8",
            )
            response["Content-Disposition"] = content_disposition("usage.csv")
            return response
        body = {
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "group_by": group_by,
            "currency": settings.USAGE_CURRENCY,
            "results": [row_to_json(row) for row in found],
            "total": row_to_json(report.total(found)),
        }
        return Response(body, content_type="application/json")
