from __future__ import annotations

from accounts.models.api_key import ApiKey
from accounts.models.audit import AuditRecord
from accounts.models.authenticator import Authenticator, RecoveryCode
from accounts.models.browser_session import BrowserSession
from accounts.models.checkpoint import (
    AuditCheckpoint,
    AuditForwarding,
    AuditKey,
    AuditSealer,
    AuditSignature,
)
from accounts.models.idempotency import IdempotentRequest
from accounts.models.invitation import Invitation
from accounts.models.person import Membership, User
from accounts.models.plan import Plan
from accounts.models.quota import QuotaAlert, QuotaCounter, StorageHold
from accounts.models.rate_bucket import RateBucket
from accounts.models.tenant import Tenant, TenantQuerySet
from accounts.models.usage import UsageEntry

__all__ = [
    "ApiKey",
    "AuditCheckpoint",
    "AuditForwarding",
    "AuditKey",
    "AuditRecord",
    "AuditSealer",
    "AuditSignature",
    "Authenticator",
    "BrowserSession",
    "IdempotentRequest",
    "Invitation",
    "Membership",
    "Plan",
    "QuotaAlert",
    "QuotaCounter",
    "RateBucket",
    "RecoveryCode",
    "StorageHold",
    "Tenant",
    "TenantQuerySet",
    "UsageEntry",
    "User",
]
