"""How often anybody may try to sign in, before a password is looked at.

Failures lock a name for the address that they came from (django-axes); a stranger elsewhere can't
lock its owner out so. Besides, an address has so many tries whatever the names, and a name so many
from wherever they come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import rate_limit
from accounts.people import sign_in
from accounts.rate_limit import Limit
from ffapi_site.lib.client_address import address_block

_LONGEST_NAME = 150  # of a user; the form does not hold to it
_OF_AN_ADDRESS = Limit(30, window_s=300, name="sign-in")
_OF_A_NAME = Limit(100, window_s=rate_limit.LONGEST_WINDOW_S, name="sign-in")


def address_of(request: HttpRequest) -> str | None:
    """Give django-axes the address that failures are counted by."""
    return address_block(request) or None


def name_of(_request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Give django-axes the name that failures are counted by, as far as a name can go on."""
    return _name(credentials)[:_LONGEST_NAME]


def _name(credentials: Mapping[str, Any] | None) -> str:
    return str((credentials or {}).get("username") or "")


class SignInLimits(AxesDatabaseHandler):
    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        name = _name(credentials).casefold()
        digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
        return not (
            rate_limit.take(f"sign-in:from:{address_block(request)}", _OF_AN_ADDRESS).is_granted
            and rate_limit.take(f"sign-in:as:{digest}", _OF_A_NAME).is_granted
        )

    def user_login_failed(
        self,
        sender: object,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        super().user_login_failed(sender, credentials, request, **kwargs)
        is_locked = bool(getattr(request, "axes_locked_out", False))
        sign_in.note_failure(_name(credentials), is_locked=is_locked)


def refuse(
    request: HttpRequest, _response: HttpResponse, _credentials: Mapping[str, Any] | None
) -> HttpResponse:
    """Answer whoever has no tries left; right and wrong passwords look the same."""
    wait_s = int(settings.AXES_COOLOFF_TIME.total_seconds())
    context = {"minutes": wait_s // 60}
    response = render(request, "registration/locked.html", context, status=429)
    response["Retry-After"] = str(wait_s)
    return response
