"""What staff change by forms: each saving is one record, with the reason."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import AuditRecord, Membership, Plan, Tenant, User
from accounts.people import second_factor
from accounts.quotas.catalogue import QUOTAS
from ffapi_site.lib.ids import new_id
from tests.admin.conftest import REASON, act
from tests.factories import PASSWORD, PlanFactory, UserFactory
from tests.harness.cast import Cast, signed_in
from tests.harness.signing_in import enrolled

_NO_INLINES = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}


def saved(client: Client, view: str, form: dict[str, Any], *args: object) -> AuditRecord:
    """Post a form, and give the one record that it left."""
    answer = client.post(reverse(f"admin:{view}", args=args), form)
    assert answer.status_code == 302, answer.context["errors"]
    record = AuditRecord.objects.get(request_id=answer["X-Request-ID"])
    assert record.actor_type == "staff"
    return record


def refused(client: Client, view: str, form: dict[str, Any], *args: object) -> str:
    before = AuditRecord.objects.count()
    answer = client.post(reverse(f"admin:{view}", args=args), form)
    assert answer.status_code == 200
    assert AuditRecord.objects.count() == before
    return answer.content.decode()


def test_it_works(root: Client, cast: Cast) -> None:
    form = {"name": "atelier", "requires_totp": "on", "reason": REASON} | _NO_INLINES
    record = saved(root, "accounts_tenant_add", form)
    tenant = Tenant.objects.get(name="atelier")
    assert (record.event_type, record.resource_id) == ("tenant.created", tenant.pk)
    assert (record.tenant_id, record.details["reason"]) == (tenant.pk, REASON)


def test_a_change_tells_from_what_to_what(root: Client, cast: Cast) -> None:
    form = {"name": "studio", "requires_totp": "on", "reason": REASON} | _NO_INLINES
    record = saved(root, "accounts_tenant_change", form, cast.tenant.pk)
    assert record.event_type == "tenant.changed"
    assert record.details == {
        "changed": ["requires_totp"],
        "requires_totp": {"from": False, "to": True},
        "reason": REASON,
    }


def test_a_member_is_part_of_the_same_record(root: Client, cast: Cast) -> None:
    person = UserFactory.create()
    form = {
        "name": "studio",
        "reason": REASON,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 0,
        "memberships-0-user": person.pk,
        "memberships-0-role": "viewer",
    }
    record = saved(root, "accounts_tenant_change", form, cast.tenant.pk)
    assert record.details["membership"] == {"added": [{"user_id": person.pk, "role": "viewer"}]}
    assert Membership.objects.get(user=person).tenant == cast.tenant


def test_a_change_needs_a_reason(root: Client, cast: Cast) -> None:
    page = refused(root, "accounts_tenant_add", {"name": "atelier"} | _NO_INLINES)
    assert "This field is required" in page


def test_no_tenant_is_called_like_an_id(root: Client, cast: Cast) -> None:
    form = {"name": new_id("tenant"), "reason": REASON} | _NO_INLINES
    for view, args in (("accounts_tenant_add", []), ("accounts_tenant_change", [cast.tenant.pk])):
        assert "This looks like an id" in refused(root, view, form, *args)
    assert Tenant.objects.get(pk=cast.tenant.pk).name == "studio"


def test_what_changes_nothing_leaves_nothing(root: Client, cast: Cast) -> None:
    form = {"name": "studio", "reason": REASON} | _NO_INLINES
    root.post(reverse("admin:accounts_tenant_change", args=[cast.tenant.pk]), form)
    assert not AuditRecord.objects.exists()


def test_limits_are_one_record(root: Client, cast: Cast) -> None:
    form = {"max_jobs_per_day": "5", "max_storage_mb": "none", "reason": REASON}
    record = saved(root, "accounts_tenant_limits", form, cast.tenant.pk)
    assert (record.event_type, record.details["reason"]) == ("quota.changed", REASON)
    tenant = Tenant.objects.get(pk=cast.tenant.pk)
    assert tenant.quota == {"max_jobs_per_day": 5, "max_storage_mb": None}
    assert tenant.limits == {"max_jobs_per_day": 5}


def test_a_limit_is_a_whole_number(root: Client, cast: Cast) -> None:
    for wrong in ("-1", "1.5", "many", "9999999999"):
        form = {"max_jobs_per_day": wrong, "reason": REASON}
        page = refused(root, "accounts_tenant_limits", form, cast.tenant.pk)
        assert "a whole number from 0" in page


def test_a_plan_is_made_given_and_changed(root: Client, cast: Cast) -> None:
    form = {"name": "small", "max_jobs_per_day": "9", "reason": REASON}
    assert saved(root, "accounts_plan_add", form).event_type == "plan.changed"
    given = {"plan": "small", "reason": REASON}
    record = saved(root, "accounts_tenant_plan", given, cast.tenant.pk)
    assert (record.event_type, record.tenant_id) == ("tenant.plan_changed", cast.tenant.pk)
    form = {"max_jobs_per_day": "7", "suspend_after_violations": "3", "reason": REASON}
    saved(root, "accounts_plan_change", form, "small")
    assert Plan.objects.get(pk="small").suspend_after_violations == 3
    assert Tenant.objects.get(pk=cast.tenant.pk).limits == {"max_jobs_per_day": 7}


def test_a_plan_s_form_shows_its_limits(root: Client, cast: Cast) -> None:
    PlanFactory.create(name="small", limits={"max_jobs_per_day": 37})
    page = root.get(reverse("admin:accounts_plan_change", args=["small"])).content.decode()
    assert 'value="37"' in page
    assert all(quota.title.split()[0] in page for quota in QUOTAS.values())


def test_people_are_made_and_changed(root: Client, cast: Cast) -> None:
    words = "seven small boats on a lake"
    form = {"username": "dora", "usable_password": "true", "password1": words, "password2": words}
    record = saved(root, "accounts_user_add", form | _NO_INLINES)
    dora = User.objects.get(username="dora")
    assert (record.event_type, record.resource_id) == ("person.created", str(dora.pk))
    assert words not in str(record.details)
    changed = {"username": "dora", "email": "dora@example.org", "is_active": "on"} | _NO_INLINES
    record = saved(root, "accounts_user_change", changed, dora.pk)
    assert record.details == {"changed": ["email"]}


def test_a_password_is_set_with_its_record(root: Client, cast: Cast) -> None:
    words = "seven small boats on a lake"
    form = {"password1": words, "password2": words}
    record = saved(root, "auth_user_password_change", form, cast.alice.pk)
    assert (record.event_type, record.resource_id) == ("password.changed", str(cast.alice.pk))
    assert User.objects.get(pk=cast.alice.pk).check_password(words)
    assert not User.objects.get(pk=cast.alice.pk).check_password(PASSWORD)


def may_change_people(cast: Cast) -> Client:
    """Staff who are no superuser, but may change people."""
    rights = Permission.objects.filter(codename__endswith="_user")
    cast.staff.user_permissions.add(*rights)
    return signed_in(cast.staff)


def test_rights_are_given_by_superusers_only(cast: Cast) -> None:
    form = {"username": "alice", "is_active": "on", "is_staff": "on", "first_name": "Alice"}
    path = reverse("admin:accounts_user_change", args=[cast.alice.pk])
    assert may_change_people(cast).post(path, form | _NO_INLINES).status_code == 302
    alice = User.objects.get(pk=cast.alice.pk)
    assert (alice.first_name, alice.is_staff) == ("Alice", False)


def test_and_only_they_change_who_is_staff(cast: Cast) -> None:
    colleague = UserFactory.create(username="colleague", is_staff=True)
    enrolled(colleague)
    client = may_change_people(cast)
    form = {"username": "colleague", "email": "sam@example.org", "is_active": "on"}
    words = {"password1": "seven small boats", "password2": "seven small boats"}
    for view, sent in (("accounts_user_change", form), ("auth_user_password_change", words)):
        path = reverse(f"admin:{view}", args=[colleague.pk])
        assert client.post(path, sent | _NO_INLINES).status_code == 403
    told = act(client, "accounts_user", "reset_second_factor", str(colleague.pk))
    assert "only a superuser can do this for staff" in told
    assert second_factor.has(colleague)
    after = User.objects.get(pk=colleague.pk)
    assert (after.email, after.password) == ("", colleague.password)
    assert not AuditRecord.objects.filter(outcome="success").exists()


def test_nobody_resets_their_own_second_factor(root: Client) -> None:
    own = User.objects.get(username="root")
    told = act(root, "accounts_user", "reset_second_factor", str(own.pk))
    assert "A second member of staff has to do this for you" in told
    assert second_factor.has(own)
