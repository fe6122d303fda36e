"""What the API tells about keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from accounts.keys.status import Status, status_of, warnings_of
from accounts.models import ApiKey


class KeyWarning(BaseModel):
    code: str
    detail: str


class KeyBody(BaseModel):
    """A key, as far as it may be seen again."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    name: str
    status: Status
    """Orphaned is a key of a person who left the tenant: it opens nothing."""
    role: str
    scopes: list[str]
    """What it may do now: of a key that a person made, no more than that person may."""
    created_at: datetime
    made_by: str | None
    """The key that made it."""
    replaces: str | None
    """The key that it is the successor of."""
    expires_at: datetime | None
    revoked_at: datetime | None
    allowed_ips: list[str]
    rate_limit_per_minute: int | None
    quota: dict[str, int]
    last_used_at: datetime | None
    """To the minute."""
    last_used_address: str | None
    warnings: list[KeyWarning]
    """That it lives for 90 days or longer, or for ever."""


class MadeKey(KeyBody):
    """A key that was just made, with its text: this is the only time that it is told."""

    key: str


def to_json(key: ApiKey) -> dict[str, Any]:
    """One key in JSON types."""
    body = KeyBody(
        id=key.pk,
        name=key.name,
        status=status_of(key),
        role=key.role,
        scopes=sorted(key.scopes),
        created_at=key.created_at,
        made_by=key.made_by_id,
        replaces=key.replaces_id,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        allowed_ips=key.allowed_ips,
        rate_limit_per_minute=key.rate_limit_per_minute,
        quota=key.quota,
        last_used_at=key.last_used_at,
        last_used_address=key.last_used_address or None,
        warnings=[KeyWarning(code=each.code, detail=each.detail) for each in warnings_of(key)],
    )
    return body.model_dump(mode="json")
