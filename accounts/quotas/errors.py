from __future__ import annotations

import math
from datetime import datetime

from accounts.quotas.status import Standing
from ffapi_site.lib.problems import Forbidden, TooManyRequests

# Where room comes back only as files go: nobody can say when.
_LOOK_AGAIN_S = 3600


class QuotaExceeded(TooManyRequests):
    """A quota is used up"""

    code = "quota_exceeded"

    def __init__(self, tenant_id: str, standing: Standing, now: datetime) -> None:
        quota, resets_at = standing.quota, standing.resets_at
        wait_s = math.ceil((resets_at - now).total_seconds()) if resets_at else _LOOK_AGAIN_S
        whose = "this key" if standing.is_of_key else "the tenant"
        super().__init__(
            f"{quota.name} is {standing.limit} {quota.unit}, of which {whose} has taken "
            f"{standing.taken:g}",
            headers={"Retry-After": str(max(1, wait_s))},
            quota=quota.name,
            scope="api_key" if standing.is_of_key else "tenant",
            limit=standing.limit,
            used=standing.in_unit(standing.used),
            reserved=standing.in_unit(standing.reserved),
            resets_at=resets_at.isoformat() if resets_at else None,
        )
        self.tenant_id = tenant_id
        self.standing = standing


class TenantSuspended(Forbidden):
    """The tenant is held, by its quotas or the operators: nothing new is taken until that ends"""

    code = "quota_suspended"
