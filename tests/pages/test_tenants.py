from __future__ import annotations

from django.test import Client

from accounts.roles import Role
from tests.factories import JobFactory, MembershipFactory, TenantFactory, UserFactory
from tests.harness.cast import Cast, signed_in


def test_it_works(alice: Client, cast: Cast) -> None:
    second = MembershipFactory.create(user=cast.alice, tenant__name="atelier", role=Role.VIEWER)
    job = JobFactory.create(tenant=cast.tenant)
    assert alice.get(f"/jobs/{job.pk}").status_code == 404  # atelier comes first
    alice.post("/tenant", {"tenant": cast.tenant.pk})
    assert alice.get(f"/jobs/{job.pk}").status_code == 200
    alice.post("/tenant", {"tenant": second.tenant.pk})
    assert alice.get("/").context["visitor"].can["jobs_create"] is False


def test_a_tenant_one_is_not_a_member_of_is_not_chosen(alice: Client, cast: Cast) -> None:
    for tenant in (cast.other_tenant.pk, "*", "nonsense"):
        alice.post("/tenant", {"tenant": tenant})
        assert alice.get("/").context["visitor"].tenant == cast.tenant


def test_nobody_is_in_a_tenant_that_is_switched_off(alice: Client, cast: Cast) -> None:
    cast.tenant.is_active = False
    cast.tenant.save(update_fields=["is_active"])
    assert alice.get("/").status_code == 403


def test_a_person_without_a_tenant_is_told(db: None) -> None:
    response = signed_in(UserFactory.create()).get("/")
    assert response.status_code == 403
    assert "not a member of any tenant" in response.content.decode()


def test_staff_may_look_at_all_or_at_their_own(cast: Cast) -> None:
    own = TenantFactory.create(name="own")
    MembershipFactory.create(user=cast.staff, tenant=own, role=Role.ADMIN)
    client = signed_in(cast.staff)
    assert client.get("/").context["visitor"].tenant == own
    client.post("/tenant", {"tenant": "*"})
    visitor = client.get("/").context["visitor"]
    assert visitor.tenant is None
    assert visitor.can["jobs_read"]
    assert not visitor.can["jobs_create"]
