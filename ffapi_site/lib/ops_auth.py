"""Those who run the installation: staff by their session, and programs by ``OPS_TOKEN``."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import HttpRequest


def is_operator(request: HttpRequest) -> bool:
    user = request.user
    return has_token(request) or (user.is_active and user.is_staff and user.is_verified())


def has_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    wanted: str = settings.OPS_TOKEN
    return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())
