from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings

from accounts.models import Tenant, UsageEntry
from accounts.quotas import limits
from accounts.roles import Role
from media_jobs.engine import jobs, states
from media_jobs.models import Job, Status
from tests.api.sending import code_of
from tests.engine.claiming import claim
from tests.factories import ApiKeyFactory, JobFactory, TenantFactory
from tests.harness.api_client import client_of

pytestmark = pytest.mark.django_db

USAGE = {"cpu_seconds": 7.2, "wall_seconds": 3.0, "input_bytes": 1000, "output_bytes": 500}


@pytest.fixture
def operator(tenant: Tenant) -> Client:
    return client_of(tenant, Role.OPERATOR)


def ended(tenant: Tenant, status: Status = Status.COMPLETED, **fields: Any) -> Job:
    job = JobFactory.create(tenant=tenant, running=True, **fields)
    states.end(job, status, "a test", usage=USAGE)
    job.refresh_from_db()
    return job


def told(client: Client, query: str = "") -> Any:
    response = client.get(f"/v1/usage{query}")
    assert response.status_code == 200, response.content
    return response.json()


def test_it_works(tenant: Tenant, operator: Client) -> None:
    job = ended(tenant)
    ended(tenant, Status.FAILED, operation="audio/extract")
    ended(TenantFactory.create())
    jobs.delete(job)
    body = told(operator)
    assert len(body["results"]) == 30
    today = body["results"][-1]
    assert today["key"] == body["last"] == datetime.now(UTC).date().isoformat()
    assert (today["jobs"], today["completed"], today["failed"]) == (2, 1, 1)
    assert (today["cpu_seconds"], today["input_bytes"]) == (14.4, 2000)
    assert body["total"]["jobs"] == 2


def test_it_groups_by_operation_and_key(tenant: Tenant, operator: Client) -> None:
    key = ApiKeyFactory.create(tenant=tenant, name="nightly")
    ended(tenant, api_key=key)
    ended(tenant, operation="audio/extract")
    rows = told(operator, "?group_by=operation")["results"]
    assert {row["key"]: row["jobs"] for row in rows} == {"transcode": 1, "audio/extract": 1}
    rows = told(operator, "?group_by=api_key")["results"]
    assert {(row["key"], row["name"]) for row in rows} == {(key.pk, "nightly"), ("", "")}


def test_days_bound_it(tenant: Tenant, operator: Client) -> None:
    ended(tenant)
    UsageEntry.objects.update(ended_at=datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC))
    assert told(operator, "?from=2026-03-31&to=2026-03-31")["total"]["jobs"] == 1
    assert told(operator, "?from=2026-04-01&to=2026-04-02")["total"]["jobs"] == 0
    assert (
        told(operator, "?from=2026-03-01T00:00:00Z&to=2026-03-31T23:00:00Z")["total"]["jobs"] == 1
    )


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("?from=yesterday", "from"),
        ("?from=2026-01-02&to=2026-01-01", "from"),
        ("?from=2024-01-01&to=2026-01-01", "from"),
        ("?to=0001-01-01", "to"),
        ("?group_by=colour", "group_by"),
        ("?format=xml", "format"),
        ("?since=2026-01-01", "since"),
    ],
)
def test_a_wrong_parameter_is_named(operator: Client, query: str, name: str) -> None:
    response = operator.get(f"/v1/usage{query}")
    assert code_of(response, 422) == "invalid"
    assert response.json()["errors"][0]["pointer"] == f"?{name}"


@pytest.mark.parametrize("how", ["?group_by=api_key&format=csv", "?group_by=api_key"])
def test_it_comes_as_csv(tenant: Tenant, operator: Client, how: str) -> None:
    ended(tenant, api_key=ApiKeyFactory.create(tenant=tenant, name='=HYPERLINK("http://x")'))
    response = operator.get(f"/v1/usage{how}", headers={"Accept": "text/csv"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(response.content.decode()))
    assert row["name"] == '\'=HYPERLINK("http://x")'
    assert (row["jobs"], row["cpu_seconds"], row["cost_EUR"]) == ("1", "7.2", "0.0000")


def test_it_costs_what_the_table_says(tenant: Tenant, operator: Client, settings: Settings) -> None:
    settings.USAGE_PRICES = {"job": Decimal("0.5"), "cpu_hour": Decimal(100)}
    ended(tenant)
    assert told(operator)["total"]["cost"] == "0.7000"


def test_it_needs_the_scope(tenant: Tenant, client: Client) -> None:
    for path in ("/v1/usage", "/v1/quotas"):
        assert code_of(client.get(path), 403) == "forbidden"


def test_work_is_entered_once(tenant: Tenant) -> None:
    job = ended(tenant)
    entry = UsageEntry.objects.get(work_id=job.pk)
    entry.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save()


def test_what_is_not_measured_stays_as_it_was_reserved(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, running=True, reserved_cpu_ms=4000)
    states.end(job, Status.FAILED, "worker_lost", error={})
    assert UsageEntry.objects.get().cpu_ms == 4000


def test_cpu_seconds_are_settled_with_what_was_measured(tenant: Tenant) -> None:
    limits.set_for_tenant(tenant, {"max_cpu_seconds_per_month": 40})
    asked = jobs.Submission("transcode", {"input": "https://example.org/a.mp4"})
    first = jobs.submit(tenant, asked)
    assert first.reserved_cpu_ms == 31_000
    with pytest.raises(Exception, match="max_cpu_seconds_per_month is 40"):
        jobs.submit(tenant, asked)
    job = claim()
    assert job
    states.end(job, Status.COMPLETED, "a test", usage=USAGE)
    jobs.submit(tenant, asked)


def test_quotas_tell_how_one_stands(tenant: Tenant, operator: Client) -> None:
    limits.put_plan("small", {"max_jobs_per_hour": 5, "max_resolution": 720})
    limits.set_plan(tenant, "small")
    key = tenant.api_keys.get()
    limits.set_for_key(key, {"max_jobs_per_day": 3})
    JobFactory.create(tenant=tenant)
    ended(tenant)
    limits.set_plan(tenant, "small")
    body = operator.get("/v1/quotas").json()
    assert body["plan"] == "small"
    found = {(row["scope"], row["name"]): row for row in body["quotas"]}
    hour = found["tenant", "max_jobs_per_hour"]
    assert (hour["limit"], hour["used"], hour["reserved"]) == (5, 1, 1)
    assert datetime.fromisoformat(hour["resets_at"]) - datetime.now(UTC) < timedelta(hours=1)
    day = found["tenant", "max_jobs_per_day"]
    assert (day["limit"], day["used"], day["reserved"]) == (None, 1, 1)
    assert found["tenant", "max_queued_jobs"]["used"] == 1
    assert found["tenant", "max_resolution"]["limit"] == 720
    assert found["tenant", "max_resolution"]["used"] is None
    assert found["api_key", "max_jobs_per_day"]["used"] == 0
    assert len(body["quotas"]) == 11


def test_where_no_parameter_is_read_none_is_listed(tenant: Tenant) -> None:
    [error] = client_of(tenant, Role.OPERATOR).get("/v1/quotas?x=1").json()["errors"]
    assert (error["pointer"], error["detail"]) == ("?x", "unknown; none is read here")
