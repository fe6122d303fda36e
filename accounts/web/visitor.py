from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.functional import cached_property

from accounts import actor
from accounts.models import Membership, Tenant, TenantQuerySet, User
from accounts.roles import ROLE_SCOPES, SCOPES, Role, allows
from accounts.web import impersonation
from accounts.web.impersonation import Acting
from ffapi_site.lib import scope

EVERY_TENANT = "*"
_CHOSEN = "tenant"
# What staff see of every tenant, and what they may do for the one they act for.
_LOOKING = ROLE_SCOPES[Role.VIEWER] | {"usage:read", "audit:read"}
_ACTING = ROLE_SCOPES[Role.OPERATOR] | {"audit:read"}

Rows = TypeVar("Rows", bound=TenantQuerySet[Any])


class NoTenant(PermissionDenied):
    """Nothing to see: a person who is neither a member of a tenant nor staff."""


@dataclass(frozen=True)
class Visitor:
    """Who looks at a page, and whose rows: without a tenant it is staff reading everybody's."""

    user: User
    tenant: Tenant | None
    scopes: frozenset[str]
    tenants: tuple[Tenant, ...]
    acting: Acting | None = None
    """Why staff act for a tenant that they are no member of."""

    def may(self, wanted: str) -> bool:
        return allows(self.scopes, wanted)

    def require(self, wanted: str) -> None:
        if not self.may(wanted):
            raise PermissionDenied(f"Your role here does not include {wanted}.")

    def sees(self, rows: Rows) -> Rows:
        return rows.all() if self.tenant is None else rows.for_tenant(self.tenant)

    @cached_property
    def can(self) -> dict[str, bool]:
        """The scopes as templates can ask for them: ``visitor.can.jobs_create``."""
        return {each.replace(":", "_"): self.may(each) for each in SCOPES}

    @property
    def has_choice(self) -> bool:
        return len(self.tenants) + self.user.is_staff > 1

    @property
    def acting_tenant(self) -> Tenant:
        """The tenant that a change is made for; reading everybody's allows none."""
        if self.tenant is None:
            raise PermissionDenied("Act for a tenant first: all tenants together are read-only.")
        return self.tenant


def choose_tenant(request: HttpRequest, tenant_id: str) -> None:
    """Remember whose rows this session looks at; what isn't theirs is refused later anyway."""
    request.session[_CHOSEN] = tenant_id


def visitor_of(request: HttpRequest) -> Visitor:
    """The signed-in person with the tenant chosen in this session, else their first one.

    Raises NoTenant where there is nothing that they may see.
    """
    user = request.user
    if isinstance(user, AnonymousUser):
        raise NoTenant
    kind = actor.Kind.STAFF if user.is_staff else actor.Kind.USER
    actor.identify(kind, str(user.pk), user.get_username())
    scope.enter(scope.EVERY_TENANT)  # for as long as it takes to know whose rows are theirs
    memberships = list(
        Membership.objects.filter(user=user, tenant__is_active=True)
        .select_related("tenant")
        .order_by("tenant__name")
    )
    tenants = tuple(membership.tenant for membership in memberships)
    if user.is_staff and (visitor := _for_a_tenant(request, user, tenants)):
        return visitor
    tenant_id = request.session.get(_CHOSEN)
    named = (membership for membership in memberships if membership.tenant_id == tenant_id)
    chosen = next(named, memberships[0] if memberships else None)
    if tenant_id == EVERY_TENANT and user.is_staff:
        chosen = None
    if chosen is None and not user.is_staff:
        scope.enter(scope.NOBODY)
        raise NoTenant("You are not a member of any tenant yet.")
    if chosen is not None:
        scope.enter(chosen.tenant_id)
    return Visitor(
        user=user,
        tenant=chosen.tenant if chosen else None,
        scopes=ROLE_SCOPES[chosen.role] if chosen else _LOOKING,
        tenants=tenants,
    )


def _for_a_tenant(request: HttpRequest, user: User, tenants: tuple[Tenant, ...]) -> Visitor | None:
    leave = impersonation.current(request)
    tenant = leave and Tenant.objects.filter(pk=leave.tenant_id, is_active=True).first()
    if not leave or not tenant:
        return None
    actor.explain(leave.reason)
    scope.enter(tenant.pk)
    return Visitor(user, tenant, _ACTING, tenants, leave)
