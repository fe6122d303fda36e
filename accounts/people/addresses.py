"""E-mail addresses: those of two people must never be taken for one."""

from __future__ import annotations


def is_same(one: str, other: str) -> bool:
    """Compare without case, in no other letters than were given.

    ``iexact`` (``UPPER`` in PostgreSQL) takes the dotless i for i and the long s for s, which
    ``casefold`` does too: who has got such an address would have somebody else's account.
    """
    return one.lower() == other.lower()
