from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from accounts.models import AuditRecord, QuotaCounter, Tenant
from accounts.quotas import limits, suspension
from ffapi_site.lib.problems import Invalid
from tests.factories import ApiKeyFactory, FileFactory, TenantFactory

pytestmark = pytest.mark.django_db


def records(tenant: Tenant | None = None) -> list[str]:
    rows = AuditRecord.objects.filter(tenant=tenant).order_by("pk")
    return list(rows.values_list("event_type", flat=True))


def test_it_works(tenant: Tenant) -> None:
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 7, "max_concurrent_jobs": 2})
    tenant.refresh_from_db()
    assert tenant.limits == {"max_jobs_per_hour": 7, "max_concurrent_jobs": 2}
    assert tenant.max_concurrent_jobs == 2
    assert records(tenant) == ["quota.changed"]


def test_its_own_limits_stand_in_place_of_the_plan_s(tenant: Tenant) -> None:
    limits.put_plan("small", {"max_jobs_per_hour": 1, "max_queued_jobs": 3, "max_resolution": 480})
    limits.set_plan(tenant, "small")
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 9, "max_resolution": None})
    assert tenant.limits == {"max_jobs_per_hour": 9, "max_queued_jobs": 3}
    assert tenant.max_queued_jobs == 3
    assert records(tenant) == ["tenant.plan_changed", "quota.changed"]
    assert records() == ["plan.changed"]


def test_a_changed_plan_is_in_force_at_once_for_all_that_have_it(tenant: Tenant) -> None:
    limits.put_plan("small", {"max_storage_mb": 1})
    limits.set_plan(tenant, "small")
    FileFactory.create(tenant=tenant, content=b"12345")
    limits.put_plan("small", {"max_storage_mb": 2, "max_queued_jobs": 1})
    tenant.refresh_from_db()
    assert tenant.limits == {"max_storage_mb": 2, "max_queued_jobs": 1}
    assert QuotaCounter.objects.get(subject=tenant.pk).used == 5
    limits.set_plan(tenant, None)
    assert tenant.limits == {}
    assert not QuotaCounter.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_it", [False, True])
def test_a_plan_that_changes_meanwhile_is_in_force(
    tenant: Tenant,
    has_it: bool,  # noqa: FBT001 -- or is it just given it?
) -> None:
    limits.put_plan("small", {"max_queued_jobs": 1})
    if has_it:
        limits.set_plan(tenant, "small")

    def change() -> None:
        try:
            limits.put_plan("small", {"max_queued_jobs": 2})
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            if has_it:
                limits.set_for_tenant(tenant, {"max_jobs_per_day": 5})
            else:
                limits.set_plan(tenant, "small")
            changing = threads.submit(change)
            assert not wait([changing], timeout=0.5).done
        changing.result()
    tenant.refresh_from_db()
    assert tenant.limits["max_queued_jobs"] == tenant.max_queued_jobs == 2


def test_a_new_tenant_has_the_default_plan(settings: Settings) -> None:
    limits.put_plan("small", {"max_concurrent_jobs": 4})
    settings.DEFAULT_PLAN = "small"
    made = TenantFactory.create()
    assert (made.plan_id, made.limits, made.max_concurrent_jobs) == (
        *("small", {"max_concurrent_jobs": 4}),
        4,
    )


@pytest.mark.django_db(transaction=True)
def test_a_default_plan_that_changes_meanwhile_is_in_force(settings: Settings) -> None:
    limits.put_plan("small", {"max_queued_jobs": 1})
    settings.DEFAULT_PLAN = "small"

    def make() -> Tenant:
        try:
            return TenantFactory.create()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            limits.put_plan("small", {"max_queued_jobs": 2})
            making = threads.submit(make)
            assert not wait([making], timeout=0.5).done
        made = Tenant.objects.get(pk=making.result().pk)
    assert made.limits["max_queued_jobs"] == made.max_queued_jobs == 2


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"max_jobs": 1}, "/quota/max_jobs"),
        ({"max_storage_mb": -1}, "/quota/max_storage_mb"),
        ({"max_storage_mb": 1.5}, "/quota/max_storage_mb"),
        ({"max_storage_mb": True}, "/quota/max_storage_mb"),
        ({"max_storage_mb": 2**31}, "/quota/max_storage_mb"),
        ([1], "/quota"),
    ],
)
def test_a_wrong_limit_is_named(tenant: Tenant, given: object, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        limits.set_for_tenant(tenant, given)  # type: ignore[arg-type]
    assert [each.pointer for each in refused.value.errors] == [pointer]
    assert records(tenant) == []


def test_a_key_has_no_queue_of_its_own(tenant: Tenant) -> None:
    key = ApiKeyFactory.create(tenant=tenant)
    with pytest.raises(Invalid):
        limits.set_for_key(key, {"max_queued_jobs": 1})
    limits.set_for_key(key, {"max_concurrent_jobs": 1, "max_resolution": None})
    key.refresh_from_db()
    assert (key.quota, key.max_concurrent_jobs) == ({"max_concurrent_jobs": 1}, 1)


def test_code_from_before_counts_as_it_did(tenant: Tenant) -> None:
    """It runs beside the new while an installation is upgraded."""
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 1})
    count = """SELECT kind, used FROM ffapi_quota_change(
        %s, NULL, now(), '{max_jobs_per_hour}', '{hour}', '{1}', '{1}', '{0}', true)"""
    with connection.cursor() as cursor:
        for told in [("100", 1)], [("refused", 1)]:
            cursor.execute(count, [tenant.pk])
            assert cursor.fetchall() == told
        suspension.suspend(tenant, "a test")
        cursor.execute(count, [tenant.pk])
        assert cursor.fetchall() == [("suspended", 0)]


def test_the_command_sets_and_recounts(tenant: Tenant) -> None:
    out = StringIO()
    call_command("quotas", "plan", "gold", "max_storage_mb=5", "--suspend-after", "9", stdout=out)
    call_command("quotas", "assign", "--tenant", tenant.name, "gold", stdout=out)
    FileFactory.create(tenant=tenant, content=b"12345")
    call_command("quotas", "recount", "--check", stdout=out)
    assert "all counters are right" in out.getvalue()
    QuotaCounter.objects.update(used=99)
    with pytest.raises(CommandError, match="1 counters are not"):
        call_command("quotas", "recount", "--check", stdout=out)
    assert "counted 99 + 0, found 5 + 0" in out.getvalue()
    call_command("quotas", "recount", stdout=out)
    assert QuotaCounter.objects.get().used == 5
    with pytest.raises(CommandError, match="max_x"):
        call_command("quotas", "limit", "--tenant", tenant.name, "max_x=1")
