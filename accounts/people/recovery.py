"""Recovery codes: ten of 80 random bits each, kept as HMACs, each good for one sign-in."""

from __future__ import annotations

import secrets

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import RecoveryCode, User
from ffapi_site.lib.crypto import digest

NUMBER = 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: no i, l, o, u
_LENGTH = 16
_GROUP = 4
_MISREAD = str.maketrans("oil", "011", " -")


def replace(user: User) -> list[str]:
    """Make the person new codes in place of the old; they are told this once."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(NUMBER)]
    with transaction.atomic():
        user.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, digest=_digest(user, code)) for code in codes
        )
    starts = range(0, _LENGTH, _GROUP)
    return ["-".join(code[start : start + _GROUP] for start in starts) for code in codes]


def _digest(user: User, code: str) -> str:
    return digest(f"recovery:{user.pk}:{code}")


def use(user: User, given: str) -> bool:
    """Spend the code where the person has it; what is looked up is its HMAC, so time tells nothing.

    A character that is read for another is taken for it.
    """
    code = given.lower().translate(_MISREAD)
    unspent = RecoveryCode.objects.filter(user=user, digest=_digest(user, code), used_at=None)
    return bool(unspent.update(used_at=Now()))


def left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()
