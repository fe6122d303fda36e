"""Whose audit log tells of what people do about themselves.

It is that of the tenant that they see first; staff, people of no tenant, and names that are
nobody's are in the installation's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts import audit
from accounts.audit_events import AuditEvent, Outcome
from accounts.models import Membership, User
from ffapi_site.lib import scope


def record(
    event: AuditEvent,
    user: User,
    resource_id: str | None = None,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Record what happened to a person, or to what is theirs by ``resource_id``."""
    about = str(user.pk) if resource_id is None else resource_id
    with scope.within(scope.EVERY_TENANT):
        home = _home_of(user.get_username())
        audit.record(event, home, about, outcome=outcome, details=details)


def record_stranger(event: AuditEvent, name: str, outcome: Outcome) -> None:
    """The same for a name that somebody gave: the same query, whether it is anybody's or not."""
    with scope.within(scope.EVERY_TENANT):
        audit.record(event, _home_of(name), outcome=outcome, personal={"tried": name})


def _home_of(username: str) -> str | None:
    memberships = Membership.objects.filter(
        user__username=username, user__is_staff=False, tenant__is_active=True
    )
    return memberships.order_by("tenant__name").values_list("tenant_id", flat=True).first()
