"""The limits that bound a single job or file: the tenant's and the key's, whichever is less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Subquery

from accounts.models import ApiKey, Tenant
from accounts.quotas.catalogue import FILE_SIZE, FRAME_RATE, JOB_DURATION, RESOLUTION


@dataclass(frozen=True)
class Bounds:
    duration_s: int | None = None
    lines: int | None = None
    """Of a picture's shorter side: 1080 lets a film of 1080p pass, whichever way it lies."""
    frame_rate: int | None = None
    file_mb: int | None = None

    @property
    def file_bytes(self) -> int:
        """The installation's own limit holds for everybody."""
        most = int(settings.MAX_FILE_SIZE_BYTES)
        return most if self.file_mb is None else min(most, self.file_mb << 20)


def of(tenant: Tenant, api_key: ApiKey | None = None) -> Bounds:
    """No query: both rows say what is in force for them."""
    return _least(tenant.limits, api_key.quota if api_key else {})


def in_force(tenant_id: str, api_key_id: str | None) -> Bounds:
    """The same by their ids, in one query."""
    quota = ApiKey.objects.filter(pk=api_key_id).values("quota")
    tenants = Tenant.objects.filter(pk=tenant_id).values_list("limits", Subquery(quota))
    limits, of_key = tenants.get()
    return _least(limits, of_key or {})


_IN_ORDER = (JOB_DURATION, RESOLUTION, FRAME_RATE, FILE_SIZE)


def _least(*limits: Mapping[str, int | None]) -> Bounds:
    said = ([each.get(name) for each in limits] for name in _IN_ORDER)
    return Bounds(*(min((n for n in each if n is not None), default=None) for each in said))
