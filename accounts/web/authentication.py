from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import actor, keys, rate_limit
from accounts.models import ApiKey
from accounts.web import denials
from accounts.web.caller import Caller
from ffapi_site.lib import scope
from ffapi_site.lib.client_address import client_address
from ffapi_site.lib.problems import Unauthenticated


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer`` or ``X-API-Key``; cookies mean nothing here.

    Whatever is wrong with a key, that it is used from a wrong address too, gets one answer.
    Failures count by address.
    """

    def authenticate(self, request: Request) -> tuple[Caller, ApiKey]:
        plain = request._request  # noqa: SLF001 -- DRF has no public name
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            credentials = str(request.headers.get("X-API-Key", ""))
        found = keys.check(credentials.strip(), client_address(plain))
        if isinstance(found, keys.Refusal):
            denials.note_refused(plain, found)
            rate_limit.count_stranger(plain)
            raise Unauthenticated(headers={"WWW-Authenticate": 'Bearer realm="ffapi"'})
        scope.enter(found.tenant_id)
        actor.identify(actor.Kind.API_KEY, found.pk, found.name)
        return Caller.by_key(found), found

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 -- DRF gives it
        return 'Bearer realm="ffapi"'
