from __future__ import annotations

import secrets

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import IdempotentRequest, Tenant


class BareInsert(APIView):
    """The least that a DRF view which stores something does: parse JSON, insert one row."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        row = IdempotentRequest.objects.create(
            tenant_id=dict(request.data)["tenant"], key=secrets.token_hex(16), fingerprint="bench"
        )
        return Response({"id": row.pk}, status=201)


def any_tenant() -> str:
    return str(Tenant.objects.values_list("id", flat=True)[0])
