from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from accounts.models import ApiKey

Status = Literal["active", "expired", "revoked", "orphaned"]
LONG_LIVED = timedelta(days=90)


@dataclass(frozen=True)
class Warned:
    code: str
    detail: str


def status_of(key: ApiKey) -> Status:
    if key.revoked_at:
        return "revoked"
    if key.is_expired:
        return "expired"
    return "orphaned" if key.is_orphaned else "active"


def warnings_of(key: ApiKey) -> list[Warned]:
    """What its owner should know: a key that lives long is stolen once and used for long."""
    if key.expires_at is None:
        return [Warned("never_expires", "a key without an end; one within 90 days is better")]
    if key.expires_at - key.created_at >= LONG_LIVED:
        return [Warned("long_lived", "lives for 90 days or longer; rotate it sooner")]
    return []
