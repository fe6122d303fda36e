"""Invitations: a link by mail, for one address, one use, one week."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import audit, rate_limit
from accounts.audit_events import AuditEvent
from accounts.models import Invitation, Membership, Tenant, User
from accounts.people import addresses, links, mail
from accounts.rate_limit import Limit
from accounts.roles import is_at_most
from ffapi_site.lib import scope
from ffapi_site.lib.crypto import digest
from ffapi_site.lib.problems import Conflict, FieldError, Forbidden, Invalid, TooManyRequests

LIFETIME = timedelta(days=7)
_PURPOSE = "invitation"
_BY_A_PERSON = Limit(30, window_s=rate_limit.LONGEST_WINDOW_S, name="invitations")
_OF_A_TENANT = Limit(60, window_s=rate_limit.LONGEST_WINDOW_S, name="invitations")
_TO_AN_ADDRESS = Limit(3, window_s=rate_limit.LONGEST_WINDOW_S, name="invitations")


def invite(tenant: Tenant, email: str, role: str, *, by: User | None, own_role: str) -> str:
    """Invite somebody and give the link, which is mailed to them as well.

    Takes the place of an earlier invitation to that address. Raises ``Forbidden`` for a role above
    the inviter's ``own_role``, ``Invalid`` for who is a member already, and ``TooManyRequests``
    for more mail than one person, one tenant or one address is worth; the operators may send any.
    """
    if not is_at_most(role, own_role):
        raise Forbidden("nobody can give away a role above their own", code="role_too_high")
    if Membership.objects.filter(tenant=tenant, user__email__iexact=email).exists():
        raise already_a_member()
    if by is not None:
        _count_mail(tenant, email, by)
    with transaction.atomic():
        rows = Invitation.objects.for_tenant(tenant).filter(email__iexact=email)
        rows.pending().update(revoked_at=Now())
        made = rows.create(
            tenant=tenant,
            email=email,
            role=role,
            invited_by=by,
            expires_at=timezone.now() + LIFETIME,
        )
        link = link_of(made)
        who = by.get_username() if by else "The operators"
        facts = {"tenant": tenant.name, "role": role, "inviter": who, "link": link}
        mail.post("invitation", email, **facts, days=LIFETIME.days)
        personal = {"email": email}
        audit.record(
            AuditEvent.INVITATION_MADE,
            tenant.pk,
            made.pk,
            details={"role": role},
            personal=personal,
        )
    return link


def _count_mail(tenant: Tenant, email: str, by: User) -> None:
    subject = digest(f"mail:{email.casefold()}")
    counted = {
        f"invitation:by:{by.pk}": _BY_A_PERSON,
        f"invitation:of:{tenant.pk}": _OF_A_TENANT,
        f"invitation:to:{subject}": _TO_AN_ADDRESS,
    }
    for whose, limit in counted.items():
        allowance = rate_limit.take(whose, limit)
        if not allowance.is_granted:
            wait = {"Retry-After": str(allowance.retry_after_s)}
            raise TooManyRequests("too many invitations were sent: try again later", headers=wait)


def already_a_member() -> Invalid:
    detail = "this person is a member already"
    return Invalid(detail, errors=[FieldError("/email", detail, "duplicate")])


def link_of(invitation: Invitation) -> str:
    return links.address("accept_invitation", links.sign(_PURPOSE, invitation.pk))


def find(token: str) -> Invitation | None:
    """The invitation that a link is for, while it can be accepted, whoever opens it."""
    invitation_id = links.read(_PURPOSE, token)
    with scope.within(scope.EVERY_TENANT):
        rows = Invitation.objects.pending().select_related("tenant", "invited_by")
        return rows.filter(pk=invitation_id, tenant__is_active=True).first()


def for_address(email: str) -> Invitation | None:
    """The newest invitation to an address that is known to be the caller's."""
    with scope.within(scope.EVERY_TENANT):
        pending = Invitation.objects.pending().select_related("tenant")
        rows = pending.filter(email__iexact=email, tenant__is_active=True)
        same = (each for each in rows if addresses.is_same(each.email, email))
        return next(same, None)


def fits(invitation: Invitation, user: User) -> bool:
    """Tell whether a person who has the link is who was meant, as far as one can know."""
    if user.email:
        return addresses.is_same(user.email, invitation.email)
    return not User.objects.filter(email__iexact=invitation.email).exists()


def accept(invitation: Invitation, user: User, *, is_new: bool = False) -> None:
    """Make ``user`` a member; raises ``Conflict`` where the link, or the address, was taken."""
    with scope.within(scope.EVERY_TENANT), transaction.atomic():
        unused = Invitation.objects.pending().filter(pk=invitation.pk)
        if not unused.update(accepted_at=Now(), accepted_by=user):
            raise gone()
        if not user.email:
            addresses.give(user, invitation.email)
        try:
            with transaction.atomic():
                Membership.objects.create(
                    user=user, tenant_id=invitation.tenant_id, role=invitation.role
                )
        except IntegrityError as error:
            raise already_a_member() from error
        details = {"role": invitation.role, "person": str(user.pk), "is_new": is_new}
        audit.record(
            AuditEvent.INVITATION_ACCEPTED, invitation.tenant_id, invitation.pk, details=details
        )


def gone() -> Conflict:
    return Conflict("this invitation was used or withdrawn", code="invitation_gone")


def revoke_beyond(tenant: Tenant, inviter: User, role: str | None) -> None:
    """Take back what somebody could not give any more, by their role now or by none.

    Else who has to go could come back by a link that they had sent to themselves.
    """
    pending = Invitation.objects.for_tenant(tenant).pending().filter(invited_by=inviter)
    for each in pending:
        if role is None or not is_at_most(each.role, role):
            revoke(tenant, each.pk)


def revoke(tenant: Tenant, invitation_id: str) -> bool:
    """Take a pending invitation back; tell whether there was such a one."""
    with transaction.atomic():
        rows = Invitation.objects.for_tenant(tenant).pending().filter(pk=invitation_id)
        if not rows.update(revoked_at=Now()):
            return False
        audit.record(AuditEvent.INVITATION_REVOKED, tenant.pk, invitation_id)
    return True
