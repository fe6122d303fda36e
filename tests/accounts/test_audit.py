"""One record for each thing that happens, which nobody changes afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import actor, audit
from accounts.actor import Actor, Kind
from accounts.audit_events import AuditEvent, Outcome
from accounts.models import AuditRecord, Tenant
from ffapi_site.lib import scope
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


def test_it_works(tenant: Tenant) -> None:
    ada = Actor(Kind.USER, "7", "ada", "192.0.2.7", "curl", "req_1")
    with actor.acting(ada):
        made = audit.record(AuditEvent.JOB_CREATED, tenant.pk, "job_1", details={"lane": "cpu"})
    record = AuditRecord.objects.get(pk=made)
    assert (record.event_type, record.outcome) == ("job.created", Outcome.SUCCESS)
    assert (record.actor_type, record.actor_id, record.request_id) == ("user", "7", "req_1")
    assert (record.resource_type, record.resource_id) == ("job", "job_1")
    assert record.personal == {"name": "ada", "ip_address": "192.0.2.7", "user_agent": "curl"}
    assert (record.details, record.seq) == ({"lane": "cpu"}, None)


def test_it_goes_with_what_it_tells_of(tenant: Tenant) -> None:
    with transaction.atomic():
        audit.record(AuditEvent.JOB_CREATED, tenant.pk, "job_1")
        transaction.set_rollback(True)
    assert not AuditRecord.objects.exists()


def _update(**values: object) -> None:
    AuditRecord.objects.update(**values)


@pytest.mark.parametrize(
    "change",
    [
        lambda: _update(outcome="failure"),
        lambda: _update(seq=1),
        lambda: _update(personal=None, salt=None),
        lambda: AuditRecord.objects.all().delete(),
        lambda: _execute("TRUNCATE accounts_auditrecord"),
        lambda: _execute("ALTER TABLE accounts_auditrecord DISABLE TRIGGER ALL"),
    ],
    ids=["edit", "seal", "erase", "delete", "truncate", "disarm"],
)
def test_who_writes_it_can_t_change_it(tenant: Tenant, change: Callable[[], None]) -> None:
    audit.record(AuditEvent.JOB_CREATED, tenant.pk)
    with (
        pytest.raises(DatabaseError, match=r"permission denied|must be owner"),
        transaction.atomic(),
    ):
        change()


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_tenant_reads_its_own_only(tenant: Tenant) -> None:
    stranger = TenantFactory.create()
    audit.record(AuditEvent.JOB_CREATED, tenant.pk)
    audit.record(AuditEvent.REQUEST_DENIED, None)
    with scope.within(stranger.pk):
        assert not AuditRecord.objects.exists()
        audit.record(AuditEvent.REQUEST_DENIED, None)
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            audit.record(AuditEvent.JOB_CREATED, tenant.pk)
    with scope.within(tenant.pk):
        assert [each.event_type for each in AuditRecord.objects.all()] == ["job.created"]
