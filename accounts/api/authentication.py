from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import actor, keys, rate_limit
from accounts.api.caller import Caller
from accounts.models import ApiKey
from ffapi_site.lib import scope
from ffapi_site.lib.problems import Unauthenticated


def _given(request: Request) -> str:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return str(request.headers.get("X-API-Key", "")).strip()


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer`` or ``X-API-Key``; cookies mean nothing here.

    Missing, unknown, expired and revoked keys get one answer. Failures count by address.
    """

    def authenticate(self, request: Request) -> tuple[Caller, ApiKey]:
        key = keys.find(_given(request))
        if key is None:
            rate_limit.count_stranger(request._request)  # noqa: SLF001 -- DRF has no public name
            raise Unauthenticated(headers={"WWW-Authenticate": 'Bearer realm="ffapi"'})
        scope.enter(key.tenant_id)
        actor.identify(actor.Kind.API_KEY, key.pk, key.name)
        return Caller.by_key(key), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="ffapi"'
