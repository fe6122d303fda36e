"""The log on a page: to those who may read it, with how its chain stands."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from accounts import audit
from accounts.audit_chain.sealer import Sealing
from accounts.audit_events import AuditEvent
from accounts.models import AuditRecord, Membership, Tenant
from tests.audit.world import at_work, content_of
from tests.factories import MembershipFactory, UserFactory
from tests.harness.cast import signed_in


@pytest.fixture
def admin(tenant: Tenant) -> Client:
    membership: Membership = MembershipFactory.create(tenant=tenant, role="admin")
    return signed_in(membership.user)


def test_it_works(tenant: Tenant, admin: Client, sealer: Sealing) -> None:
    audit.record(AuditEvent.FILE_DELETED, tenant.pk, "file_1", details={"name": "<b>"})
    sealer.step()
    text = admin.get("/audit").content.decode()
    assert "file.deleted" in text
    assert "#1" in text
    assert "&lt;b&gt;" in text
    assert "number 1, to record 1" in text
    assert sealer.signer.key.key_id in text


def test_filters(tenant: Tenant, admin: Client) -> None:
    audit.record(AuditEvent.FILE_DELETED, tenant.pk, "file_1")
    shown = admin.get("/audit?event_type=job.created").content.decode()
    assert "No record fits this filter" in shown
    assert "file_1" in admin.get("/audit?resource=file_1&start=2020-01-01T00:00").content.decode()


@pytest.mark.parametrize(
    "query",
    ["actor=%ff", "before=x", "start=", "event_type=", "start=2025-01-01T00:00:00%2B23:59"],
)
def test_nonsense_is_harmless(admin: Client, query: str) -> None:
    assert admin.get(f"/audit?{query}").status_code == 200


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("start", "soon", "start: must be a time like"),
        ("start", "2025-13-01T00:00", "start: must be a time like"),
        ("end", "0001-01-01T00:00:00+23:59", "end: must be a time like"),
        ("event_type", "eaten", "event_type: must be one of"),
    ],
)
def test_a_wrong_filter_is_told_of(admin: Client, name: str, value: str, says: str) -> None:
    for answer in (
        admin.get("/audit", {name: value}),
        admin.post("/audit/export", {name: value, "format": "csv"}),
    ):
        assert answer.status_code == 422
        assert says in answer.content.decode()


@pytest.mark.parametrize("role", ["operator", "developer", "viewer"])
def test_only_admins_read_it(tenant: Tenant, role: str) -> None:
    person = signed_in(MembershipFactory.create(tenant=tenant, role=role).user)
    assert person.get("/audit").status_code == 403
    assert person.post("/audit/export", {"format": "csv"}).status_code == 403
    assert 'href="/audit"' not in person.get("/").content.decode()


def test_a_stranger_sees_nothing_of_it(tenant: Tenant, admin: Client) -> None:
    audit.record(AuditEvent.FILE_DELETED, tenant.pk, "file_of_tenant")
    other = signed_in(MembershipFactory.create(role="admin").user)
    assert "file_of_tenant" not in other.get("/audit").content.decode()


def test_staff_see_all(tenant: Tenant) -> None:
    audit.record(AuditEvent.FILE_DELETED, tenant.pk, "file_of_tenant")
    audit.record(AuditEvent.LANE_PAUSED, None, "cpu")
    text = signed_in(UserFactory.create(is_staff=True)).get("/audit").content.decode()
    assert "file_of_tenant" in text
    assert "lane.paused" in text


def test_exports(tenant: Tenant, admin: Client, sealer: Sealing) -> None:
    audit.record(AuditEvent.FILE_DELETED, tenant.pk, "file_1")
    with at_work(sealer):
        for form, start in (("jsonl", b'{"id"'), ("csv", b'"id",'), ("bundle", b"PK")):
            answer = admin.post("/audit/export", {"format": form})
            content = content_of(answer)
            assert content.startswith(start), form
    told = AuditRecord.objects.filter(event_type="audit.exported").order_by("id")
    assert [record.details["format"] for record in told] == ["jsonl", "csv", "bundle"]
    assert admin.post("/audit/export", {"format": "pdf"}).status_code == 403
    assert admin.get("/audit/export").status_code == 405


def test_what_no_text_can_hold_is_left_out_of_a_filter(tenant: Tenant, admin: Client) -> None:
    audit.record(AuditEvent.FILE_DELETED, tenant.pk, "file_1")
    answer = admin.post("/audit/export", {"format": "jsonl", "resource": "file_\x001"})
    [line] = content_of(answer).splitlines()
    assert json.loads(line)["event_type"] == "file.deleted"


def test_an_export_holds_what_the_filter_shows(tenant: Tenant, admin: Client) -> None:
    for event in (AuditEvent.FILE_DELETED, AuditEvent.FILE_CREATED):
        audit.record(event, tenant.pk, "file_1")
    answer = admin.post("/audit/export", {"format": "jsonl", "event_type": "file.deleted"})
    lines = content_of(answer).splitlines()
    assert [json.loads(line)["event_type"] for line in lines] == ["file.deleted"]
