"""API keys: ``ffapi_``, the key's id, ``_``, 256 random bits, a checksum for secret scanners."""

from __future__ import annotations

import hmac
import re
import secrets
import string
from collections.abc import Iterable
from datetime import datetime, timedelta
from zlib import crc32

from django.core.cache import cache
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import ApiKey, Tenant, User
from ffapi_site.lib import scope
from ffapi_site.lib.crypto import digest
from ffapi_site.lib.ids import new_id

_FORM = re.compile(r"ffapi_([0-9a-z]{26})_([A-Za-z0-9_-]{43})([0-9A-Za-z]{6})")
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SEEN_EVERY = timedelta(seconds=60)
# For so long a process takes a key for good without looking again: a revoked one is refused
# everywhere within seconds.
_TRUSTED_FOR_S = 2
_NOBODYS_DIGEST = "0" * 64


def _checksum(text: str) -> str:
    """CRC-32 in six base-62 digits: tells a mistyped key from a wrong one without a query."""
    number, digits = crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits


def issue(  # noqa: PLR0913 -- all but the tenant are named
    tenant: Tenant,
    *,
    name: str,
    role: str,
    scopes: Iterable[str] = (),
    expires_at: datetime | None = None,
    created_by: User | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; its text is told this once and can't be had again.

    ``scopes`` narrow the role's; without any the key holds all that its role holds.
    """
    key_id = new_id("key")
    unchecked = f"ffapi_{key_id.removeprefix('key_')}_{secrets.token_urlsafe(32)}"
    text = unchecked + _checksum(unchecked)
    key = ApiKey.objects.create(
        id=key_id,
        tenant=tenant,
        name=name,
        role=role,
        narrowed_to=sorted(set(scopes)),
        secret_digest=digest(text),
        expires_at=expires_at,
        created_by=created_by,
    )
    return key, text


def find(text: str) -> ApiKey | None:
    """Give the usable key of this text.

    A use of it is noted. An unknown id costs the same comparison as a wrong secret, so that ids
    can't be told apart.
    """
    form = _FORM.fullmatch(text)
    if form is None or _checksum(text[:-6]) != form[3]:
        return None
    given = digest(text)
    known: ApiKey | None = cache.get(f"key:{given}")
    if known is not None and known.is_usable:
        return known
    with scope.within(scope.EVERY_TENANT):  # whose it is will be known then
        return _look_up(f"key_{form[1]}", given)


def _look_up(key_id: str, given: str) -> ApiKey | None:
    key = ApiKey.objects.select_related("tenant").filter(pk=key_id).first()
    is_right = hmac.compare_digest(given, key.secret_digest if key else _NOBODYS_DIGEST)
    if key is None or not is_right or not key.is_usable or not key.tenant.is_active:
        return None
    _saw(key)
    cache.set(f"key:{given}", key, _TRUSTED_FOR_S)
    return key


def _saw(key: ApiKey) -> None:
    """Note that the key was used, to the minute."""
    if key.last_used_at is None or key.last_used_at < timezone.now() - _SEEN_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=Now())
