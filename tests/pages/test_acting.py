"""Staff see every tenant and change nothing, unless they say for whom and why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditRecord
from accounts.web import impersonation
from media_jobs.models import Job
from tests.factories import JobFactory
from tests.harness.cast import Cast

REASON = "request 4711: their queue stands still"


def enter(client: Client, tenant: str, reason: str = REASON) -> int:
    return client.post("/tenant", {"tenant": tenant, "reason": reason}).status_code


def told() -> list[tuple[str, str, object]]:
    rows = AuditRecord.objects.exclude(event_type="request.denied").order_by("id")
    return [(row.event_type, row.actor_type, row.details.get("reason")) for row in rows]


def test_it_works(staff: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    assert staff.post(f"/jobs/{job.pk}/cancel").status_code == 403
    assert enter(staff, "studio") == 302
    page = staff.get(f"/jobs/{job.pk}").content.decode()
    assert "You act for <strong>studio</strong>" in page
    assert REASON in page
    assert staff.post(f"/jobs/{job.pk}/cancel").status_code == 302
    assert staff.post("/tenant", {"tenant": "*"}).status_code == 302
    assert "You act for" not in staff.get("/").content.decode()
    assert told() == [
        ("tenant.entered", "staff", REASON),
        ("job.canceled", "staff", REASON),
        ("tenant.left", "staff", REASON),
    ]
    acted = AuditRecord.objects.filter(details__has_key="reason")
    assert set(acted.values_list("tenant", flat=True)) == {cast.tenant.pk}


def test_only_the_tenant_s_rows_are_seen_then(staff: Client, cast: Cast) -> None:
    theirs = JobFactory.create(tenant=cast.other_tenant)
    assert staff.get(f"/jobs/{theirs.pk}").status_code == 200
    enter(staff, cast.tenant.pk)
    assert staff.get(f"/jobs/{theirs.pk}").status_code == 404
    assert staff.post(f"/jobs/{theirs.pk}/cancel").status_code == 404
    assert Job.objects.get(pk=theirs.pk).status == "queued"


def test_a_reason_is_needed(staff: Client) -> None:
    assert enter(staff, "studio", "  ") == 422
    assert enter(staff, "studio", "x" * 201) == 422
    assert told() == []


@pytest.mark.parametrize("tenant", ["nobody", "no\0body"])
def test_an_unknown_tenant_is_refused(staff: Client, tenant: str) -> None:
    assert enter(staff, tenant) == 404


def test_a_tenant_that_is_switched_off_is_refused(staff: Client, cast: Cast) -> None:
    cast.tenant.is_active = False
    cast.tenant.save(update_fields=["is_active"])
    assert enter(staff, "studio") == 404


def test_it_is_for_one_tenant_at_a_time(staff: Client) -> None:
    enter(staff, "studio")
    assert enter(staff, "rival") == 409


def test_it_is_not_for_members(alice: Client) -> None:
    assert enter(alice, "rival") == 404
    assert alice.get("/tenant").status_code == 404
    assert told() == []


def test_it_ends_by_itself(staff: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(staff, "studio")
    later = timezone.now() + timedelta(seconds=impersonation.LONGEST_S)
    monkeypatch.setattr("accounts.web.impersonation.time.time", later.timestamp)
    job = JobFactory.create(tenant=cast.tenant)
    assert staff.post(f"/jobs/{job.pk}/cancel").status_code == 403
    assert [event for event, _, _ in told()] == ["tenant.entered", "tenant.left"]


def test_the_form_is_there(staff: Client) -> None:
    page = staff.get("/tenant").content.decode()
    assert "<h1>Act for a tenant</h1>" in page
    assert '<option value="studio">' in page
