"""The limits that bound a single job or file: the tenant's and the key's, whichever is less."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from accounts.models import ApiKey, Tenant
from accounts.quotas.names import FILE_SIZE, FRAME_RATE, JOB_DURATION, RESOLUTION


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
    return Bounds(*(_least(name, tenant, api_key) for name in _IN_ORDER))


_IN_ORDER = (JOB_DURATION, RESOLUTION, FRAME_RATE, FILE_SIZE)


def _least(name: str, tenant: Tenant, api_key: ApiKey | None) -> int | None:
    limits = (tenant.limits.get(name), api_key.quota.get(name) if api_key else None)
    return min((each for each in limits if each is not None), default=None)
