"""What people change about themselves."""

from __future__ import annotations

from django.db import transaction

from accounts.audit_events import AuditEvent
from accounts.models import User
from accounts.people import addresses, audit_tenant, links, mail

_PURPOSE = "email"
LIFETIME_S = 24 * 3600


def rename(user: User, first_name: str, last_name: str) -> None:
    with transaction.atomic():
        user.first_name, user.last_name = first_name, last_name
        user.save(update_fields=["first_name", "last_name"])
        audit_tenant.record(AuditEvent.PERSON_CHANGED, user, details={"changed": ["name"]})


def request_address(user: User, email: str) -> None:
    """Mail a link to another address, which proves it; whose it may be already is not told."""
    with transaction.atomic():
        audit_tenant.record(AuditEvent.PERSON_EMAIL_REQUESTED, user)
        if User.objects.filter(email__iexact=email).exists():
            mail.post("known_already", email, link=links.address("login"))
        else:
            token = links.sign(_PURPOSE, [user.pk, user.email, email])
            link = links.address("confirm_address", token)
            mail.post("address", email, username=user.username, link=link)


def address_of(user: User, token: str) -> str | None:
    """The new address that a link proves; good once, since it names the one before as well."""
    said = links.read(_PURPOSE, token, lifetime_s=LIFETIME_S)
    if not said or said[:2] != [user.pk, user.email]:
        return None
    email = str(said[2])
    return None if User.objects.filter(email__iexact=email).exists() else email


def confirm_address(user: User, email: str) -> None:
    """Change the address, and tell who reads at the one before: they may not know of it.

    Raises ``Conflict`` where the address was taken meanwhile.
    """
    with transaction.atomic():
        if user.email:
            mail.post("address_changed", user.email, username=user.username)
        addresses.give(user, email)
        audit_tenant.record(AuditEvent.PERSON_CHANGED, user, details={"changed": ["email"]})
