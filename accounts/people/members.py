"""The members of a tenant. There is always an admin among them."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.models import Membership, Tenant, User
from accounts.people import invitations
from accounts.roles import Role, is_at_most
from ffapi_site.lib.problems import Conflict, Forbidden, NotFound


def of(tenant: Tenant) -> QuerySet[Membership]:
    members = Membership.objects.filter(tenant=tenant).select_related("user")
    return members.order_by("user__username")


def role_of(tenant: Tenant, user: User) -> str:
    """The person's role there; the lowest where they have none."""
    roles = Membership.objects.filter(tenant=tenant, user=user).values_list("role", flat=True)
    return roles.first() or Role.WEBHOOK_ONLY


def change_role(tenant: Tenant, membership_id: int, role: str, *, own_role: str) -> Membership:
    """Give a member another role.

    Raises ``Forbidden`` for a role above the caller's own, ``Conflict`` for the last admin's.
    """
    if not is_at_most(role, own_role):
        raise Forbidden("nobody can give away a role above their own", code="role_too_high")
    with transaction.atomic():
        membership = _locked(tenant, membership_id, stays_admin=role == Role.ADMIN)
        give_role(membership, role)
    return membership


def remove(tenant: Tenant, membership_id: int) -> Membership:
    """Take somebody out of the tenant. Raises ``Conflict`` for its last admin."""
    with transaction.atomic():
        membership = _locked(tenant, membership_id, stays_admin=False)
        take_out(membership)
    return membership


def give_role(membership: Membership, role: str) -> None:
    """Change a role, whoever may do so: the member's invitations to more than that end."""
    tenant, user = membership.tenant, membership.user
    details = {"person": str(user.pk), "from": membership.role, "to": role}
    with transaction.atomic():
        membership.role = role
        membership.save(update_fields=["role"])
        invitations.revoke_beyond(tenant, user, role)
        audit.record(AuditEvent.MEMBER_ROLE_CHANGED, tenant.pk, str(membership.pk), details=details)


def take_out(membership: Membership) -> None:
    """End a membership, whoever may do so: the member's invitations end with it."""
    tenant, user = membership.tenant, membership.user
    details = {"person": str(user.pk), "role": membership.role}
    with transaction.atomic():
        Membership.objects.filter(pk=membership.pk).delete()
        invitations.revoke_beyond(tenant, user, None)
        audit.record(AuditEvent.MEMBER_REMOVED, tenant.pk, str(membership.pk), details=details)


def _locked(tenant: Tenant, membership_id: int, *, stays_admin: bool) -> Membership:
    """Hold all the members while one is changed: two admins can't leave at once."""
    rows = Membership.objects.filter(tenant=tenant).select_for_update(of=("self",))
    members = list(rows.select_related("user").order_by("pk"))
    found = next((each for each in members if each.pk == membership_id), None)
    if found is None:
        raise NotFound
    others = [each for each in members if each.role == Role.ADMIN and each != found]
    has_another = any(each.user.is_active for each in others)
    if found.role == Role.ADMIN and not stays_admin and not has_another:
        raise Conflict("the last admin has to stay: make another one first", code="last_admin")
    return found


def require_totp(tenant: Tenant, *, is_required: bool) -> None:
    """Say whether all members have to sign in with a code as well; it holds at once."""
    with transaction.atomic():
        tenant.requires_totp = is_required
        tenant.save(update_fields=["requires_totp"])
        details = {"requires_totp": is_required}
        audit.record(AuditEvent.TENANT_SECURITY_CHANGED, tenant.pk, tenant.pk, details=details)
