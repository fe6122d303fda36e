from __future__ import annotations

from accounts.models.api_key import ApiKey
from accounts.models.audit import AuditRecord
from accounts.models.idempotency import IdempotentRequest
from accounts.models.person import Membership, User
from accounts.models.rate_bucket import RateBucket
from accounts.models.tenant import Tenant, TenantQuerySet

__all__ = [
    "ApiKey",
    "AuditRecord",
    "IdempotentRequest",
    "Membership",
    "RateBucket",
    "Tenant",
    "TenantQuerySet",
    "User",
]
