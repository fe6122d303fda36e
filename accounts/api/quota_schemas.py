"""What the API takes and tells about limits, and about alerts of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from accounts.models import QuotaAlert, Tenant
from accounts.quotas import alerts
from accounts.quotas.status import Standing
from ffapi_site.lib.lengths import length_of


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


def quota_to_json(standing: Standing) -> dict[str, Any]:
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


class AlertsRequest(BaseModel):
    """Where alerts go besides the mail to the tenant's admins."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    webhook_url: StrictStr | None = Field(max_length=length_of(Tenant, "alert_webhook_url"))
    """Signed as every webhook is; null for none."""


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


def alert_to_json(alert: QuotaAlert) -> dict[str, Any]:
    body = AlertBody(
        id=alert.pk,
        created_at=alert.created_at,
        event=alerts.event_of(alert),
        **alerts.tell(alert),
    )
    return body.model_dump(mode="json")
