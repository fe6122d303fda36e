"""Repeated refusals suspend a tenant, where its plan says so; staff lift it."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models.functions import Now

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.models import Tenant
from accounts.quotas import alerts
from accounts.quotas.errors import QuotaExceeded
from ffapi_site.lib.lengths import fitted
from ffapi_site.lib.problems import Conflict

_VIOLATIONS = "violations"

# One count a tenant and day. It is no quota: nothing recounts it, and no limit reads it.
_COUNT = """
INSERT INTO accounts_quotacounter AS c
  (tenant_id, subject, name, window_start, used, reserved, warned)
SELECT t.id, t.id, %(name)s, date_trunc('day', now(), 'UTC'), 1, 0, 0
  FROM accounts_tenant t JOIN accounts_plan p ON p.name = t.plan_id
 WHERE t.id = %(tenant)s AND p.suspend_after_violations IS NOT NULL AND t.quota_suspended_at IS NULL
ON CONFLICT (subject, name, window_start) DO UPDATE SET used = c.used + 1
RETURNING used, (SELECT suspend_after_violations FROM accounts_plan p JOIN accounts_tenant t
    ON p.name = t.plan_id WHERE t.id = %(tenant)s)
"""


def note_violation(refused: QuotaExceeded) -> None:
    """Count a refusal, after the transaction that it ended; suspend where that was one too many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_COUNT, {"name": _VIOLATIONS, "tenant": refused.tenant_id})
        row = cursor.fetchone()
        if row is not None and row[0] >= row[1]:
            violations, maximum = row
            quota = refused.standing.quota.name
            reason = f"{violations} refusals today, the last for {quota}"
            if _suspend(refused.tenant_id, reason, {"violations": violations, "quota": quota}):
                alerts.note_suspension(refused.tenant_id, violations, maximum)


def suspend(tenant: Tenant, reason: str) -> None:
    """Take nothing new of a tenant; what is there can be read, and what runs goes on."""
    with transaction.atomic():
        if not _suspend(tenant.pk, reason, {}):
            raise Conflict("the tenant is suspended already", code="quota_already_suspended")
    tenant.refresh_from_db(fields=["quota_suspended_at", "quota_suspended_for"])


def _suspend(tenant_id: str, reason: str, details: dict[str, object]) -> bool:
    reason = fitted(Tenant, "quota_suspended_for", reason)
    rows = Tenant.objects.filter(pk=tenant_id, quota_suspended_at=None)
    if not rows.update(quota_suspended_at=Now(), quota_suspended_for=reason):
        return False
    audit.record(
        AuditEvent.QUOTA_SUSPENDED, tenant_id, tenant_id, details={"reason": reason} | details
    )
    return True


_FORGIVE = "DELETE FROM accounts_quotacounter WHERE subject = %s AND name = %s"


def lift(tenant: Tenant) -> None:
    """End a suspension, and forget what led to it."""
    with transaction.atomic(), connection.cursor() as cursor:
        # The count before the tenant, as whoever suspends it has them.
        cursor.execute(_FORGIVE, (tenant.pk, _VIOLATIONS))
        rows = Tenant.objects.filter(pk=tenant.pk, quota_suspended_at__isnull=False)
        if not rows.update(quota_suspended_at=None, quota_suspended_for=""):
            raise Conflict("the tenant is not suspended", code="quota_not_suspended")
        audit.record(AuditEvent.QUOTA_SUSPENSION_LIFTED, tenant.pk, tenant.pk)
    tenant.refresh_from_db(fields=["quota_suspended_at", "quota_suspended_for"])
