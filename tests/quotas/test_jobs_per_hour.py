from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import QuotaCounter, Tenant
from accounts.quotas import limits, recount
from media_jobs.engine import jobs
from media_jobs.models import Job
from tests.api.sending import WANTED, code_of, send
from tests.engine.claiming import claim
from tests.factories import TenantFactory
from tests.harness.api_client import client_of, key_of

pytestmark = pytest.mark.django_db

FIFTY = 50


def test_it_works(tenant: Tenant, client: Client) -> None:
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 2})
    assert [send(client, "/v1/jobs", WANTED).status_code for _ in range(2)] == [202, 202]
    refused = send(client, "/v1/jobs", WANTED)
    assert code_of(refused, 429) == "quota_exceeded"
    body = refused.json()
    assert (body["quota"], body["scope"], body["limit"]) == ("max_jobs_per_hour", "tenant", 2)
    assert (body["used"], body["reserved"]) == (0, 2)
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert body["resets_at"].endswith(":00:00+00:00")
    assert Job.objects.for_tenant(tenant).count() == 2


def test_another_tenant_is_not_refused(tenant: Tenant) -> None:
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 0})
    assert send(client_of(TenantFactory.create()), "/v1/jobs", WANTED).status_code == 202


def test_a_key_has_its_own(tenant: Tenant) -> None:
    narrow, wide = client_of(tenant, name="narrow"), client_of(tenant)
    key = tenant.api_keys.get(name="narrow")
    limits.set_for_key(key, {"max_jobs_per_day": 1})
    assert send(narrow, "/v1/jobs", WANTED).status_code == 202
    refused = send(narrow, "/v1/jobs", WANTED).json()
    assert (refused["quota"], refused["scope"]) == ("max_jobs_per_day", "api_key")
    assert send(wide, "/v1/jobs", WANTED).status_code == 202


def test_what_never_ran_gives_back(tenant: Tenant, client: Client) -> None:
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 1})
    job = send(client, "/v1/jobs", WANTED).json()["id"]
    assert send(client, "/v1/jobs", WANTED).status_code == 429
    jobs.cancel(Job.objects.get(pk=job))
    assert send(client, "/v1/jobs", WANTED).status_code == 202


def test_what_ran_does_not(tenant: Tenant, client: Client) -> None:
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 1})
    send(client, "/v1/jobs", WANTED)
    job = claim()
    assert job
    from media_jobs.engine import states

    states.end(job, "failed", "a test", error={})  # type: ignore[arg-type]
    counter = QuotaCounter.objects.get(subject=tenant.pk)
    assert (counter.used, counter.reserved) == (1, 0)
    jobs.delete(Job.objects.get(pk=job.pk))
    assert send(client, "/v1/jobs", WANTED).status_code == 429


def test_the_next_hour_begins_anew(tenant: Tenant, client: Client) -> None:
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 1})
    send(client, "/v1/jobs", WANTED)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_quotacounter SET window_start = window_start - '1h'::interval"
        )
    assert send(client, "/v1/jobs", WANTED).status_code == 202


def test_a_limit_counts_what_was_submitted_before_it(tenant: Tenant, client: Client) -> None:
    send(client, "/v1/jobs", WANTED)
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 1})
    assert send(client, "/v1/jobs", WANTED).status_code == 429
    assert recount.of_tenant(tenant.pk, mend=False) == []


def test_a_tenant_without_limits_pays_one_statement(tenant: Tenant, client: Client) -> None:
    send(client, "/v1/jobs", WANTED)  # whatever is looked up once
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert send(client, "/v1/jobs", WANTED).status_code == 202
    ours = [each["sql"] for each in seen if "quota" in each["sql"].lower()]
    told = [sql for sql in ours if "ffapi_quota_change" in sql]
    assert len(told) == 1
    assert not QuotaCounter.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_one_gets_the_last(tenant: Tenant) -> None:
    """R23: what is left is given once."""
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 1, "max_jobs_per_day": 40})
    key, start = key_of(tenant), Barrier(FIFTY)

    def post(_: int) -> int:
        client = Client(headers={"X-API-Key": key})
        try:
            start.wait()
            return int(send(client, "/v1/jobs", WANTED).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(FIFTY) as threads:
        answers = sorted(threads.map(post, range(FIFTY)))
    assert answers == [202] + [429] * (FIFTY - 1)
    assert Job.objects.for_tenant(tenant).count() == 1
    assert recount.of_tenant(tenant.pk, mend=False) == []
