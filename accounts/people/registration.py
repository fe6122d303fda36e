"""People who are new: by themselves, where ``REGISTRATION`` is open, or by an invitation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.models import Invitation, Membership, Tenant, User
from accounts.people import invitations, links, mail
from accounts.roles import Role
from ffapi_site.lib import scope
from ffapi_site.lib.problems import Conflict

LIFETIME_S = 24 * 3600
_PURPOSE = "registration"


def request_link(email: str) -> None:
    """Mail a link to register with; somebody who is here already is told that instead."""
    with transaction.atomic():
        audit.record(AuditEvent.REGISTRATION_REQUESTED, None, personal={"email": email})
        if User.objects.filter(email__iexact=email).exists():
            mail.post("known_already", email, link=links.address("login"))
        else:
            link = links.address("complete_registration", links.sign(_PURPOSE, email))
            mail.post("registration", email, link=link, hours=LIFETIME_S // 3600)


def address_of(token: str) -> str | None:
    """The address that a link proves, until somebody has registered with it."""
    email = links.read(_PURPOSE, token, lifetime_s=LIFETIME_S)
    if email is None or User.objects.filter(email__iexact=email).exists():
        return None
    return str(email)


def complete(email: str, username: str, password: str, tenant_name: str) -> User:
    """Make a person and the tenant that they are the admin of; raises ``Conflict`` in a race."""
    with scope.within(scope.EVERY_TENANT), _nobody_else(), transaction.atomic():
        user = User.objects.create_user(username, email, password)
        tenant = Tenant.objects.create(name=tenant_name)
        Membership.objects.create(user=user, tenant=tenant, role=Role.ADMIN)
        details = {"person": str(user.pk), "name": tenant_name}
        audit.record(AuditEvent.REGISTRATION_COMPLETED, tenant.pk, tenant.pk, details=details)
    return user


@contextmanager
def _nobody_else() -> Iterator[None]:
    """Tell whoever was a moment too late that a name or an address is taken."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("somebody was quicker: the name or the address is taken") from error


def accept_as_new(invitation: Invitation, username: str, password: str | None) -> User:
    """Make a person of somebody who was invited; without a password they sign in elsewhere."""
    with _nobody_else(), transaction.atomic():
        user = User.objects.create_user(username, invitation.email, password)
        invitations.accept(invitation, user, is_new=True)
    return user
