from __future__ import annotations

from django.urls import path

from accounts.api import api_keys, audit
from accounts.api.quotas import QuotaAlerts, Quotas
from accounts.api.tenant import OwnTenant
from accounts.api.usage import Usage

urlpatterns = [
    path("tenant", OwnTenant.as_view(), name="api-tenant"),
    path("quotas", Quotas.as_view(), name="api-quotas"),
    path("quotas/alerts", QuotaAlerts.as_view(), name="api-quota-alerts"),
    path("usage", Usage.as_view(), name="api-usage"),
    path("api-keys", api_keys.ApiKeys.as_view(), name="api-keys"),
    path("api-keys/<str:key_id>", api_keys.OneApiKey.as_view(), name="api-key"),
    path("api-keys/<str:key_id>/rotate", api_keys.RotateKey.as_view(), name="api-key-rotate"),
    path("api-keys/<str:key_id>/revoke", api_keys.RevokeKey.as_view(), name="api-key-revoke"),
    path("audit-log", audit.AuditLog.as_view(), name="api-audit-log"),
    path("audit-log/export", audit.AuditExport.as_view(), name="api-audit-export"),
    path("audit-log/keys", audit.AuditKeys.as_view(), name="api-audit-keys"),
    path("audit-log/checkpoints", audit.AuditCheckpoints.as_view(), name="api-audit-checkpoints"),
    path(
        "audit-log/checkpoints/latest",
        audit.LatestAuditCheckpoint.as_view(),
        name="api-audit-checkpoint",
    ),
    path("audit-log/<str:record_id>", audit.OneAuditRecord.as_view(), name="api-audit-record"),
]
