"""E-mail addresses: those of two people must never be taken for one."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts.models import User
from ffapi_site.lib.problems import Conflict


def is_same(one: str, other: str) -> bool:
    """Compare without case, in no other letters than were given.

    ``iexact`` (``UPPER`` in PostgreSQL) takes the dotless i for i and the long s for s, which
    ``casefold`` does too: who has got such an address would have somebody else's account.
    """
    return one.lower() == other.lower()


def give(user: User, email: str) -> None:
    """Make an address theirs; raises ``Conflict`` where somebody was a moment quicker."""
    user.email = email
    try:
        with transaction.atomic():
            user.save(update_fields=["email"])
    except IntegrityError as error:
        raise Conflict("this address is somebody else's by now", code="address_taken") from error
