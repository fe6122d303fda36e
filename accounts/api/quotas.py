from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, ConfigDict, Field, StrictStr
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.models import QuotaAlert, Tenant
from accounts.quotas import alerts, overview
from accounts.quotas.status import Standing
from accounts.web.api_view import TenantAPIView
from ffapi_site.lib import bodies, netguard, query
from ffapi_site.lib.lengths import length_of
from ffapi_site.lib.problems import invalid
from ffapi_site.lib.url_policy import url_policy


class QuotaBody(BaseModel):
    """How you stand with one limit; amounts are in ``unit``."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    scope: str
    """Whose limit it is: the ``tenant``'s, or this ``api_key``'s."""
    unit: str
    window: str | None
    """``hour``, ``day`` or ``month``, in UTC; null where what is taken counts until given back."""
    limit: int | None
    """Null where there is none."""
    used: float | None
    """Null for limits that bound each job or file by itself."""
    reserved: float | None
    """What unfinished jobs and uploads may still use."""
    resets_at: datetime | None


class QuotasBody(BaseModel):
    """All limits, of the tenant and of the key that asks."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    plan: str | None
    suspended_at: datetime | None
    """Since when nothing new is taken, because of too many refusals."""
    quotas: list[QuotaBody]


class AlertsRequest(BaseModel):
    """Where alerts go besides the mail to the tenant's admins."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    webhook_url: StrictStr | None = Field(max_length=length_of(Tenant, "alert_webhook_url"))
    """Signed as every webhook is; null for none."""


_LATEST = 100


def _told(standing: Standing) -> dict[str, Any]:
    quota = standing.quota
    body = QuotaBody(
        name=quota.name,
        scope="api_key" if standing.is_of_key else "tenant",
        unit=quota.unit,
        window=quota.window or None,
        limit=standing.limit,
        used=standing.in_unit(standing.used) if not quota.is_of_each else None,
        reserved=standing.in_unit(standing.reserved) if not quota.is_of_each else None,
        resets_at=standing.resets_at,
    )
    return body.model_dump(mode="json")


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
        return Response(body | {"quotas": [_told(each) for each in standings]})


class AlertBody(BaseModel):
    """Somebody reached 80 or 100 % of a limit; amounts are in the limit's own unit."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    created_at: datetime
    event: str
    """What the event of a webhook is called."""
    tenant: str
    api_key: str | None
    """The key whose limit it is; null for the tenant's."""
    quota: str
    percent: int
    limit: int
    taken: float
    resets_at: datetime | None


class AlertsBody(BaseModel):
    """The latest alerts, and where they are posted to."""

    webhook_url: str | None
    results: list[AlertBody]


class QuotaAlerts(TenantAPIView):
    scopes: ClassVar = {"GET": "usage:read", "PUT": "webhooks:manage"}

    @extend_schema(responses=AlertsBody)
    def get(self, request: Request) -> Response:
        """The latest hundred alerts of quotas, the newest first."""
        query.only(request, ())
        url = Tenant.objects.values_list("alert_webhook_url", flat=True).get(pk=self.tenant.pk)
        told = [
            AlertBody(
                id=alert.pk,
                created_at=alert.created_at,
                event=alerts.event_of(alert),
                **alerts.tell(alert),
            ).model_dump(mode="json")
            for alert in QuotaAlert.objects.for_tenant(self.tenant)[:_LATEST]
        ]
        return Response({"webhook_url": url or None, "results": told})

    @extend_schema(request=AlertsRequest, responses={204: None})
    def put(self, request: Request) -> Response:
        """Say where alerts of quotas are posted to."""
        url = bodies.read(AlertsRequest, request.data).webhook_url or ""
        if url:
            try:
                netguard.check(url, url_policy())
            except netguard.Refused as refused:
                raise invalid("/webhook_url", refused.detail, refused.code) from refused
        with transaction.atomic():
            Tenant.objects.filter(pk=self.tenant.pk).update(alert_webhook_url=url)
            told = {"is_set": bool(url)}
            audit.record(
                AuditEvent.QUOTA_ALERTS_CHANGED, self.tenant.pk, self.tenant.pk, details=told
            )
        return Response(status=204)
