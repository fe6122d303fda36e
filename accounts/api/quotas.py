from __future__ import annotations

from typing import ClassVar

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.api.quota_schemas import (
    AlertsBody,
    AlertsRequest,
    QuotasBody,
    alert_to_json,
    quota_to_json,
)
from accounts.audit_events import AuditEvent
from accounts.models import QuotaAlert, Tenant
from accounts.quotas import overview
from accounts.web.api_view import TenantAPIView
from ffapi_site.lib import bodies, netguard, query
from ffapi_site.lib.problems import at
from ffapi_site.lib.url_policy import url_policy

_LATEST = 100


class Quotas(TenantAPIView):
    scopes: ClassVar = {"GET": "usage:read"}

    @extend_schema(responses=QuotasBody)
    def get(self, request: Request) -> Response:
        """Every limit: what it is, how much of it is used and reserved, and when it begins anew."""
        query.only(request, ())
        # The key's own row may be two seconds old; what is told here is not.
        tenant = Tenant.objects.get(pk=self.tenant.pk)
        key = self.caller.api_key
        key.refresh_from_db(fields=["quota", "max_concurrent_jobs"])
        standings = [*overview.of_tenant(tenant), *overview.of_key(key)]
        body = QuotasBody(
            plan=tenant.plan_id,
            suspended_at=tenant.quota_suspended_at,
            quotas=[],
        ).model_dump(mode="json")
        return Response(body | {"quotas": [quota_to_json(each) for each in standings]})


class QuotaAlerts(TenantAPIView):
    scopes: ClassVar = {"GET": "usage:read", "PUT": "webhooks:manage"}

    @extend_schema(responses=AlertsBody)
    def get(self, request: Request) -> Response:
        """The latest hundred alerts of quotas, the newest first."""
        query.only(request, ())
        url = Tenant.objects.values_list("alert_webhook_url", flat=True).get(pk=self.tenant.pk)
        latest = QuotaAlert.objects.for_tenant(self.tenant)[:_LATEST]
        results = [alert_to_json(alert) for alert in latest]
        return Response({"webhook_url": url or None, "results": results})

    @extend_schema(request=AlertsRequest, responses={204: None})
    def put(self, request: Request) -> Response:
        """Say where alerts of quotas are posted to."""
        url = bodies.read(AlertsRequest, request.data).webhook_url or ""
        if url:
            with at("/webhook_url"):
                netguard.check(url, url_policy())
        with transaction.atomic():
            Tenant.objects.filter(pk=self.tenant.pk).update(alert_webhook_url=url)
            told = {"is_set": bool(url)}
            audit.record(
                AuditEvent.QUOTA_ALERTS_CHANGED, self.tenant.pk, self.tenant.pk, details=told
            )
        return Response(status=204)
