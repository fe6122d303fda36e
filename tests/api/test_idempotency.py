"""R4: a request that is sent again, because its server died or its answer got lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from accounts.models import IdempotentRequest, Tenant
from media_jobs.engine import jobs
from media_jobs.models import Job
from tests.api.sending import WANTED, code_of, pointers, send
from tests.factories import TenantFactory
from tests.harness.api_client import client_of, key_of

pytestmark = pytest.mark.django_db

TWENTY = 20


def test_it_works(client: Client) -> None:
    first = send(client, "/v1/jobs", WANTED, Idempotency_Key="k")
    again = send(client, "/v1/jobs", WANTED, Idempotency_Key="k")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again["Location"] == first["Location"]
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Idempotency-Replayed"] == "true"
    assert not first.has_header("Idempotency-Replayed")
    assert Job.objects.count() == 1


def test_another_body_or_address_under_the_key_is_refused(client: Client) -> None:
    send(client, "/v1/jobs", WANTED, Idempotency_Key="k")
    other = send(client, "/v1/jobs", WANTED | {"tags": ["x"]}, Idempotency_Key="k")
    assert code_of(other, 422) == "idempotency_key_reused"
    elsewhere = send(client, "/v1/transcode", WANTED, Idempotency_Key="k")
    assert code_of(elsewhere, 422) == "idempotency_key_reused"


def test_a_refusal_is_repeated(client: Client) -> None:
    wrong = WANTED | {"priority": "x"}
    assert pointers(send(client, "/v1/jobs", wrong, Idempotency_Key="k")) == ["/priority"]
    again = send(client, "/v1/jobs", wrong, Idempotency_Key="k")
    assert again["Idempotency-Replayed"] == "true"


def test_a_cancel_can_be_repeated(client: Client) -> None:
    at = send(client, "/v1/jobs", WANTED).json()["links"]["cancel"]
    first = send(client, at, Idempotency_Key="c")
    assert send(client, at, Idempotency_Key="c").content == first.content


def test_tenants_do_not_meet(client: Client, tenant: Tenant) -> None:
    mine = send(client, "/v1/jobs", WANTED, Idempotency_Key="k").json()
    theirs = send(client_of(TenantFactory.create()), "/v1/jobs", WANTED, Idempotency_Key="k").json()
    assert mine["id"] != theirs["id"]


def test_after_a_crash_the_job_that_was_made_is_told(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder that dies between its commit and its answer leaves a job; no second one is made."""

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("media_jobs.api.answers.to_json", die)
        with pytest.raises(KeyboardInterrupt):
            send(client, "/v1/jobs", WANTED, Idempotency_Key="k")
    IdempotentRequest.objects.update(claimed_at=Now() - timedelta(minutes=3))
    again = send(client, "/v1/jobs", WANTED, Idempotency_Key="k")
    assert again.status_code == 202
    assert again.json()["id"] == Job.objects.get().pk


def test_an_error_of_ours_leaves_the_key_free(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.raise_request_exception = False

    def fail(*_: Any, **__: Any) -> Job:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(jobs, "submit", fail)
        failed = send(client, "/v1/jobs", WANTED, Idempotency_Key="k")
        assert code_of(failed, 500) == "internal_error"
        assert b"ZeroDivision" not in failed.content
    assert send(client, "/v1/jobs", WANTED, Idempotency_Key="k").status_code == 202


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_make_one_job(tenant: Tenant) -> None:
    key, start = key_of(tenant), Barrier(TWENTY)

    def post(_: int) -> Any:
        client = Client(headers={"X-API-Key": key})
        try:
            start.wait()
            return send(client, "/v1/jobs", WANTED, Idempotency_Key="k")
        finally:
            connection.close()

    with ThreadPoolExecutor(TWENTY) as threads:
        answers = list(threads.map(post, range(TWENTY)))
    job = Job.objects.get()
    told = [each.json()["id"] for each in answers if each.status_code == 202]
    waiting = [each for each in answers if each.status_code != 202]
    assert told, answers
    assert set(told) == {job.pk}
    assert {code_of(each, 409) for each in waiting} <= {"idempotent_request_in_flight"}
    assert send(client_of(tenant), "/v1/jobs", WANTED, Idempotency_Key="k").json()["id"] == job.pk
