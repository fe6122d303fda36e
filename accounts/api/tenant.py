from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.api.tenant_schemas import TenantBody
from accounts.audit_events import AuditEvent
from accounts.roles import allows
from accounts.web.api_view import TenantAPIView
from accounts.web.permissions import ANY_KEY


class OwnTenant(TenantAPIView):
    scopes: ClassVar = {"GET": ANY_KEY}

    @extend_schema(responses=TenantBody)
    def get(self, request: Request) -> Response:
        """The tenant that the key belongs to; that its webhook secret was told is recorded."""
        body = {"id": self.tenant.id, "name": self.tenant.name}
        if allows(self.caller.scopes, "webhooks:manage"):
            body["webhook_secret"] = self.tenant.webhook_secret  # first: it may not open
            audit.record(AuditEvent.WEBHOOK_SECRET_SHOWN, self.tenant.pk, self.tenant.pk)
        return Response(body)
