"""A tenant whose queue is bounded: nobody gets past the bound, however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Tenant
from media_jobs.models import Job
from tests.api.sending import WANTED, code_of, send
from tests.factories import JobFactory, TenantFactory
from tests.harness.api_client import client_of, key_of

pytestmark = pytest.mark.django_db

FIFTY = 50


def _bound(tenant: Tenant, number: int) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(max_queued_jobs=number)


def test_it_works(tenant: Tenant) -> None:
    _bound(tenant, 2)
    JobFactory.create(tenant=tenant, running=True)
    JobFactory.create(tenant=TenantFactory.create())
    client = client_of(tenant)
    assert [send(client, "/v1/jobs", WANTED).status_code for _ in range(2)] == [202, 202]
    refused = send(client, "/v1/jobs", WANTED)
    assert code_of(refused, 429) == "queue_full"
    assert int(refused["Retry-After"]) > 0
    assert Job.objects.for_tenant(tenant).filter(status="queued").count() == 2


def test_a_bound_of_none_refuses_all(tenant: Tenant) -> None:
    _bound(tenant, 0)
    assert code_of(send(client_of(tenant), "/v1/jobs", WANTED), 429) == "queue_full"


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_one_gets_the_last_place(tenant: Tenant) -> None:
    """R23: what is left is given once."""
    _bound(tenant, 1)
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
