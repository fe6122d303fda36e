"""The log over the API: searched, exported, checked; each tenant its own."""

from __future__ import annotations

import csv
import json
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from accounts import actor, audit
from accounts.actor import Actor, Kind
from accounts.audit_chain import download
from accounts.audit_chain.sealer import Sealing
from accounts.audit_events import AuditEvent, Outcome
from accounts.models import AuditRecord, Tenant
from ffapi_site.lib import ongoing
from tests.api.sending import code_of, pointers
from tests.audit.world import content_of, write
from tests.factories import TenantFactory
from tests.harness.api_client import client_of

ADA = Actor(Kind.USER, "7", "ada", "192.0.2.7", "curl", "req_1")


def found(auditor: Client, **query: str) -> list[str]:
    answer = auditor.get("/v1/audit-log", query)
    assert answer.status_code == 200, answer.content
    return [each["resource_id"] for each in answer.json()["results"]]


@pytest.fixture
def three(tenant: Tenant) -> None:
    with actor.acting(ADA):
        audit.record(AuditEvent.JOB_CREATED, tenant.pk, "job_1")
    audit.record(AuditEvent.FILE_DELETED, tenant.pk, "file_1", details={"name": "=1+1"})
    audit.record(AuditEvent.REQUEST_DENIED, tenant.pk, "/v1/x", outcome=Outcome.DENIED)


def test_it_works(three: None, auditor: Client, sealer: Sealing) -> None:
    sealer.step()
    told = auditor.get("/v1/audit-log?resource=job_1").json()["results"]
    record = AuditRecord.objects.get(resource_id="job_1")
    wanted = {
        "id": record.pk,
        "event_type": "job.created",
        "actor": {"type": "user", "id": "7", "name": "ada"},
        "resource_type": "job",
        "resource_id": "job_1",
        "action": "created",
        "outcome": "success",
        "details": {},
        "ip_address": "192.0.2.7",
        "user_agent": "curl",
        "request_id": "req_1",
        "chain": {"seq": record.seq, "hash": record.hash},
    }
    assert told == [wanted | {"timestamp": told[0]["timestamp"]}]
    assert auditor.get(f"/v1/audit-log/{record.pk}").json() == told[0]


def test_filters(three: None, auditor: Client) -> None:
    assert set(found(auditor)) == {"job_1", "file_1", "/v1/x"}
    assert found(auditor, actor="7") == found(auditor, actor="ada") == ["job_1"]
    assert found(auditor, event_type="file.deleted") == ["file_1"]
    assert found(auditor, resource="job") == found(auditor, resource="job_1") == ["job_1"]
    at = AuditRecord.objects.get(resource_id="file_1").at.isoformat()
    assert found(auditor, end=at) == ["job_1"]
    assert set(found(auditor, start=at)) == {"file_1", "/v1/x"}
    # An offset that PostgreSQL doesn't know.
    assert len(found(auditor, start="2025-01-01T00:00:00+23:59")) == 3
    assert found(auditor, limit="1") == ["/v1/x"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"start": "soon"}, "?start"),
        ({"start": "0001-01-01T00:00:00+23:59"}, "?start"),
        ({"end": "9999-12-31T23:59:59-23:59"}, "?end"),
        ({"event_type": "job.eaten"}, "?event_type"),
        ({"actors": "7"}, "?actors"),
        ({"actor": "\x00"}, "?actor"),
    ],
)
def test_what_can_t_be_asked(auditor: Client, query: dict[str, str], pointer: str) -> None:
    assert pointers(auditor.get("/v1/audit-log", query)) == [pointer]
    assert pointers(auditor.get("/v1/audit-log/export", query)) == [pointer]


def test_an_unknown_format_is_refused(auditor: Client) -> None:
    assert pointers(auditor.get("/v1/audit-log/export?format=pdf")) == ["?format"]


@pytest.mark.parametrize(
    "path", ["", "/export", "/keys", "/checkpoints", "/checkpoints/latest", "/audit_1"]
)
def test_a_key_without_the_scope_is_refused(tenant: Tenant, path: str) -> None:
    answer = client_of(tenant).get(f"/v1/audit-log{path}")
    assert code_of(answer, 403) == "forbidden"
    assert answer.json()["required_scope"] == "audit:read"


def test_a_stranger_sees_nothing(three: None, auditor: Client, sealer: Sealing) -> None:
    sealer.step()
    other = TenantFactory.create()
    stranger = client_of(other, role="admin", scopes=["audit:read"])
    assert found(stranger) == []
    record = AuditRecord.objects.filter(resource_id="job_1").get()
    assert code_of(stranger.get(f"/v1/audit-log/{record.pk}"), 404) == "not_found"
    assert stranger.get("/v1/audit-log/checkpoints").json()["results"] == []
    assert code_of(stranger.get("/v1/audit-log/checkpoints/latest"), 404) == "not_found"
    lines = content_of(stranger.get("/v1/audit-log/export")).splitlines()
    # Only that it exported is written down.
    assert [json.loads(line)["event_type"] for line in lines] == ["audit.exported"]


def test_a_tenant_at_its_bound_leaves_places(auditor: Client, tenant: Tenant) -> None:
    with ExitStack() as held:
        for _ in range(settings.AT_ONCE_PER_TENANT["exports"]):
            held.enter_context(ongoing.EXPORTS.one_of(tenant.pk))
        refused = auditor.get("/v1/audit-log/export")
        stranger = client_of(TenantFactory.create(), role="admin", scopes=["audit:read"])
        assert content_of(stranger.get("/v1/audit-log/export"))
    assert code_of(refused, 429) == "too_many_at_once"
    assert content_of(auditor.get("/v1/audit-log/export"))


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_export_has_its_place_before_it_is_read(
    auditor: Client, tenant: Tenant, settings: Settings, form: str
) -> None:
    settings.AT_ONCE_PER_TENANT = settings.AT_ONCE_PER_TENANT | {"exports": 1}
    path = f"/v1/audit-log/export?format={form}"
    begun = auditor.get(path)
    assert code_of(auditor.get(path), 429) == "too_many_at_once"
    begun.close()  # and never read
    assert content_of(auditor.get(path))
    assert not ongoing.EXPORTS.taken(tenant.pk)


def test_an_export_that_fails_leaves_its_place(
    auditor: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_bundle", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        auditor.get("/v1/audit-log/export?format=bundle")
    assert not ongoing.EXPORTS.taken(tenant.pk)


def test_json_lines(three: None, auditor: Client) -> None:
    answer = auditor.get("/v1/audit-log/export")
    assert answer["Content-Type"] == "application/jsonl"
    assert 'filename="audit-log-' in answer["Content-Disposition"]
    told = [json.loads(line) for line in content_of(answer).splitlines()]
    assert [each["resource_id"] for each in told if each["event_type"] != "audit.exported"]
    assert len(told) == 4


def test_an_export_is_one_record(three: None, auditor: Client, tenant: Tenant) -> None:
    for form in ("jsonl", "csv"):
        content_of(auditor.get(f"/v1/audit-log/export?format={form}&resource=job"))
    told = AuditRecord.objects.filter(event_type="audit.exported").order_by("id")
    assert [record.details for record in told] == [
        {"format": "jsonl", "resource": "job"},
        {"format": "csv", "resource": "job"},
    ]
    assert {record.tenant_id for record in told} == {tenant.pk}


def test_csv_computes_nothing(tenant: Tenant, auditor: Client) -> None:
    evil = Actor(Kind.USER, "7", '=HYPERLINK("https://evil.example")', user_agent="@SUM(1)")
    with actor.acting(evil):
        audit.record(AuditEvent.JOB_CREATED, tenant.pk, "+1")
    answer = auditor.get("/v1/audit-log/export?format=csv")
    text = content_of(answer).decode()
    row = next(each for each in csv.DictReader(text.splitlines()) if each["actor_type"] == "user")
    assert row["actor_name"] == """'=HYPERLINK("https://evil.example")"""
    assert (row["resource_id"], row["user_agent"]) == ("'+1", "'@SUM(1)")


def test_long_exports_come_in_pieces(tenant: Tenant, auditor: Client) -> None:
    write(tenant, 2500)
    answer = auditor.get("/v1/audit-log/export")
    pieces = list(answer.streaming_content)  # type: ignore[attr-defined]
    assert len(pieces) == 3
    assert len(b"".join(pieces).splitlines()) == 2501


def test_keys_and_checkpoints(tenant: Tenant, auditor: Client, sealer: Sealing) -> None:
    write(tenant)
    sealer.step()
    key = auditor.get("/v1/audit-log/keys").json()["results"][0]
    newest = auditor.get("/v1/audit-log/checkpoints/latest").json()
    assert newest["statement"]["key_id"] == key["key_id"] == key["fingerprint"][:16]
    assert auditor.get("/v1/audit-log/checkpoints").json()["results"] == [newest]
