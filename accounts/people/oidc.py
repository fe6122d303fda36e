"""Single sign-on: an OpenID provider of the operators' vouches for e-mail addresses.

Its endpoints are discovered (OpenID Connect Discovery 1.0, section 4). Only this module and the
library that it extends talk to it, at the address of ``OIDC_ISSUER`` and those that it names.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import jwt
import requests
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from accounts.models import User
from accounts.people import addresses, invitations, registration
from ffapi_site.lib.problems import Problem, Unavailable

logger = logging.getLogger(__name__)

_DISCOVERED = {
    "OIDC_OP_AUTHORIZATION_ENDPOINT": "authorization_endpoint",
    "OIDC_OP_TOKEN_ENDPOINT": "token_endpoint",
    "OIDC_OP_USER_ENDPOINT": "userinfo_endpoint",
    "OIDC_OP_JWKS_ENDPOINT": "jwks_uri",
}
_UNFIT = re.compile(r"[^\w.@+-]")


class ProviderUnavailable(Unavailable):
    """The single sign-on does not answer"""

    code = "sign_on_unavailable"


@lru_cache(maxsize=4)
def _configuration(issuer: str) -> dict[str, Any]:
    """Ask the provider where its endpoints are, once for as long as this process lives."""
    address = f"{issuer}/.well-known/openid-configuration"
    try:
        answer = requests.get(address, timeout=settings.OIDC_TIMEOUT)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (requests.RequestException, ValueError) as error:
        logger.exception("The OpenID provider could not be discovered")
        raise ProviderUnavailable from error
    if str(found.get("issuer", "")).rstrip("/") != issuer:
        logger.error("The OpenID provider calls itself by another name than OIDC_ISSUER")
        raise ProviderUnavailable
    return found


def setting(name: str, *default: Any) -> Any:
    """Give the library a setting, or what was discovered in its place."""
    if name in _DISCOVERED:
        return _configuration(settings.OIDC_ISSUER)[_DISCOVERED[name]]
    if default:
        return getattr(settings, name, default[0])
    return getattr(settings, name)


class Provider(OIDCAuthenticationBackend):
    """Not one of ``AUTHENTICATION_BACKENDS``: a sign-in by password must not wait for it."""

    proved_at_s: float = 0
    """When the person of the last callback proved there who they are; 0 where it isn't told."""

    @staticmethod
    def get_settings(attr: str, *default: Any) -> Any:
        return setting(attr, *default)

    def person(self, request: HttpRequest, *, nonce: str, verifier: str) -> User | None:
        """Exchange the code of a callback for who it is about; None where they may not come in.

        Raises ``ProviderUnavailable`` where the provider fails, and gives None for what it says
        that does not hold: a wrong signature, audience, issuer, nonce, or an unproved address.
        """
        try:
            found = self.authenticate(request, nonce=nonce, code_verifier=verifier)
        except (SuspiciousOperation, jwt.InvalidTokenError, KeyError) as error:
            logger.warning("A single sign-on was refused", extra={"reason": str(error)})
            return None
        except requests.HTTPError as error:
            logger.warning("A single sign-on was refused", extra={"reason": str(error)[:200]})
            return None
        except (requests.RequestException, ValueError) as error:
            logger.exception("The OpenID provider failed")
            raise ProviderUnavailable from error
        return found if found and found.is_active else None

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """Check besides whom it is for and from (OpenID Connect Core 1.0, section 3.1.3.7)."""
        payload: dict[str, Any] = super().verify_token(token, **kwargs)
        audience = payload.get("aud")
        audiences = [audience] if isinstance(audience, str) else list(audience or ())
        client = settings.OIDC_RP_CLIENT_ID
        if client not in audiences or payload.get("azp", client) != client:
            raise SuspiciousOperation("the token is for somebody else")
        if str(payload.get("iss", "")).rstrip("/") != settings.OIDC_ISSUER:
            raise SuspiciousOperation("the token is somebody else's")
        if "exp" not in payload:
            raise SuspiciousOperation("the token has no end")
        return payload

    def get_userinfo(self, access_token: str, id_token: str, payload: dict[str, Any]) -> Any:
        claims = super().get_userinfo(access_token, id_token, payload)
        if claims.get("sub") != payload.get("sub"):
            raise SuspiciousOperation("the claims are about somebody else")
        # Told where ``max_age`` was asked for (Core 1.0, section 2).
        proved_at_s = payload.get("auth_time")
        self.proved_at_s = proved_at_s if isinstance(proved_at_s, int | float) else 0
        return claims

    def filter_users_by_claims(self, claims: dict[str, Any]) -> list[User]:
        email = str(claims["email"])
        found: Iterable[User] = super().filter_users_by_claims(claims)
        return [user for user in found if addresses.is_same(user.email, email)]

    def verify_claims(self, claims: dict[str, Any]) -> bool:
        return bool(claims.get("email")) and claims.get("email_verified") is True

    def create_user(self, claims: dict[str, Any]) -> User | None:
        """Let in who was invited; nobody else comes in by having an address somewhere."""
        invitation = invitations.for_address(str(claims["email"]))
        if invitation is None or settings.REGISTRATION == "off":
            return None
        # The first name like the address that is free.
        wanted = _UNFIT.sub("", User.normalize_username(str(claims["email"])))[:140]
        alike = User.objects.filter(username__istartswith=wanted)
        taken = {name.casefold() for name in alike.values_list("username", flat=True)}
        candidates = (f"{wanted}{number or ''}" for number in range(len(taken) + 1))
        username = next(name for name in candidates if name.casefold() not in taken)
        try:
            return registration.accept_as_new(invitation, username, None)
        except Problem:  # it was used or withdrawn just now
            return None
