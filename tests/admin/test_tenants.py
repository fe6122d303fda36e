"""Tenants and their keys in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin.tenant_panels import keys_of
from accounts.admin.tenants import TenantAdmin
from accounts.admin_site import site
from accounts.models import AuditRecord, Invitation, Membership, Tenant
from accounts.people import invitations
from accounts.roles import Role
from tests.admin.conftest import REASON
from tests.factories import ApiKeyFactory, MembershipFactory, TenantFactory, UserFactory
from tests.harness.cast import Cast


def test_a_form_writes_what_it_changed_and_nothing_else(root: Client, cast: Cast) -> None:
    """A suspension meanwhile stays, and so do limits."""
    read = Tenant.objects.get(pk=cast.tenant.pk)
    Tenant.objects.filter(pk=read.pk).update(is_active=False, limits={"max_jobs_per_day": 1})
    request, page = root.get(reverse("admin:index")).wsgi_request, TenantAdmin(Tenant, site)
    sent = {"name": read.name, "requires_totp": "on", "reason": REASON}
    form = page.get_form(request, read, change=True)(sent, instance=read)
    assert form.is_valid(), form.errors
    page.save_model(request, form.instance, form, change=True)
    saved = Tenant.objects.get(pk=read.pk)
    assert (saved.requires_totp, saved.is_active) == (True, False)
    assert saved.limits == {"max_jobs_per_day": 1}


def _one_member(member: Membership, **changed: Any) -> dict[str, Any]:
    """The form of a tenant's page with one of its members, and what becomes of them."""
    row = {"id": member.pk, "user": member.user_id, "role": member.role} | changed
    return {
        "name": member.tenant.name,
        "reason": REASON,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 1,
        **{f"memberships-0-{name}": value for name, value in row.items()},
    }


@pytest.mark.parametrize(
    ("changed", "event", "left"),
    [
        ({"DELETE": "on"}, "member.removed", []),
        ({"role": "operator"}, "member.role_changed", ["viewer@example.org"]),
    ],
)
def test_what_a_member_could_not_give_any_more_ends(
    root: Client, changed: dict[str, str], event: str, left: list[str]
) -> None:
    """As on the tenant's own page; the tenant's log tells of each, and why."""
    member = MembershipFactory.create(role=Role.ADMIN)
    for role in (Role.ADMIN, Role.VIEWER):
        email = f"{role}@example.org"
        invitations.invite(member.tenant, email, role, by=member.user, own_role=Role.ADMIN)
    path = reverse("admin:accounts_tenant_change", args=[member.tenant.pk])
    answer = root.post(path, _one_member(member, **changed))
    assert answer.status_code == 302, answer.context["errors"]
    assert list(Invitation.objects.pending().values_list("email", flat=True)) == left
    records = AuditRecord.objects.filter(request_id=answer["X-Request-ID"])
    assert {each.details["reason"] for each in records} == {REASON}
    told = [each.event_type for each in records.order_by("id")]
    assert told == ["invitation.revoked"] * (2 - len(left)) + [event, "tenant.changed"]


def test_a_membership_stays_its_person_s(root: Client) -> None:
    member = MembershipFactory.create(role=Role.ADMIN)
    sent = _one_member(member, user=UserFactory.create().pk, role="operator")
    path = reverse("admin:accounts_tenant_change", args=[member.tenant.pk])
    assert root.post(path, sent).status_code == 302
    kept = Membership.objects.get(tenant=member.tenant)
    assert (kept.user, kept.role) == (member.user, "operator")


def test_who_may_only_look_sees_its_members(cast: Cast, staff: Client) -> None:
    rights = Permission.objects.filter(codename__in=("view_tenant", "view_membership"))
    cast.staff.user_permissions.add(*rights)
    page = staff.get(reverse("admin:accounts_tenant_change", args=[cast.tenant.pk]))
    assert "alice" in page.content.decode()


def _follow(tenant: Tenant, number: int) -> None:
    """Have so many keys more, each of a person of its own."""
    for _ in range(number):
        user = MembershipFactory.create(tenant=tenant, role=Role.ADMIN).user
        ApiKeyFactory.create(tenant=tenant, created_by=user, follows_creator=True)


def _queries(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_keys_that_follow_people_cost_no_query_each(root: Client, cast: Cast) -> None:
    keys = reverse("admin:accounts_apikey_changelist")
    tenant = TenantFactory.create()
    _follow(tenant, 1)
    few = _queries(root, keys)
    _follow(tenant, 5)
    assert _queries(root, keys) == few


def test_nor_does_the_tenant_s_page(root: Client, cast: Cast) -> None:

    tenant = TenantFactory.create()
    _follow(tenant, 5)
    with CaptureQueriesContext(connection) as captured:
        assert len(keys_of(tenant).rows) == 5
    assert len(captured) == 1
