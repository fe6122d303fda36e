"""Scopes, and the roles that are sets of them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models

SCOPES = (
    "jobs:read",
    "jobs:create",
    "jobs:cancel",
    "files:read",
    "files:create",
    "files:delete",
    "webhooks:manage",
    "keys:manage",
    "usage:read",
    "audit:read",
    "ffmpeg:custom",
)
EVERYTHING = "*"


class Role(models.TextChoices):
    ADMIN = "admin"
    OPERATOR = "operator"
    DEVELOPER = "developer"
    VIEWER = "viewer"
    WEBHOOK_ONLY = "webhook_only"


_JOBS = ("jobs:read", "jobs:create", "jobs:cancel")
_FILES = ("files:read", "files:create", "files:delete")
ROLE_SCOPES: dict[str, frozenset[str]] = {
    Role.ADMIN: frozenset((EVERYTHING,)),
    Role.OPERATOR: frozenset((*_JOBS, *_FILES, "usage:read", "webhooks:manage")),
    Role.DEVELOPER: frozenset((*_JOBS, *_FILES)),
    Role.VIEWER: frozenset(("jobs:read", "files:read")),
    Role.WEBHOOK_ONLY: frozenset(("jobs:create",)),
}


def is_at_most(role: str, own_role: str) -> bool:
    """Tell whether ``role`` allows nothing that ``own_role`` doesn't."""
    held = ROLE_SCOPES[own_role]
    return all(allows(held, scope) for scope in ROLE_SCOPES[role])


PEOPLES_ROLES = (Role.ADMIN, Role.OPERATOR, Role.DEVELOPER, Role.VIEWER)
"""From the highest down; ``webhook_only`` is for keys."""


def allows(granted: Iterable[str], scope: str) -> bool:
    held = set(granted)
    return scope in held or EVERYTHING in held


def effective_scopes(role: str, narrowed_to: Iterable[str]) -> frozenset[str]:
    """The role's scopes, or those of ``narrowed_to`` that the role holds where any are named."""
    held, wanted = ROLE_SCOPES[role], frozenset(narrowed_to)
    if not wanted or EVERYTHING in wanted:
        return held
    return wanted if EVERYTHING in held else held & wanted


def shared(held: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """The scopes that are in both."""
    if EVERYTHING in held:
        return others
    return held if EVERYTHING in others else held & others


def beyond(wanted: Iterable[str], held: Iterable[str]) -> list[str]:
    """The scopes of ``wanted`` that ``held`` does not allow."""
    granted = frozenset(held)
    return sorted(scope for scope in wanted if not allows(granted, scope))
