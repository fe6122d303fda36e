from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import Tenant
from accounts.roles import Role
from ffapi_site.lib import ongoing
from media_jobs.engine import states
from media_jobs.models import Job, Status
from tests.api.sending import WANTED, code_of, send
from tests.engine.claiming import claim
from tests.factories import JobFactory
from tests.harness.api_client import client_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("_no_feed_left"),
]


def finish_the_next() -> None:
    job = claim()
    assert job is not None
    states.end(job, Status.COMPLETED, "done")


@pytest.fixture
def soon() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Do something in another thread, half a second from now."""
    with ExitStack() as ends:

        def do(what: Callable[[], None]) -> None:
            def late() -> None:
                time.sleep(0.5)
                try:
                    what()
                finally:
                    connection.close()

            thread = threading.Thread(target=late)
            thread.start()
            ends.callback(thread.join)

        yield do


def test_it_works(client: Client, soon: Any) -> None:
    soon(finish_the_next)
    began = time.monotonic()
    response = send(client, "/v1/jobs", WANTED, Prefer="wait=20")
    took_s = time.monotonic() - began
    assert (response.status_code, response.json()["status"]) == (200, "completed")
    assert response["Preference-Applied"] == "wait=20"
    assert 0.5 <= took_s < 1.5  # woken, not found by looking now and then


def test_when_the_time_is_up_the_job_goes_on(client: Client) -> None:
    began = time.monotonic()
    response = send(client, "/v1/jobs", WANTED, Prefer="wait=1")
    assert 1 <= time.monotonic() - began < 2
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    assert response["Preference-Applied"] == "wait=1"


def test_a_retry_can_be_waited_for(client: Client, tenant: Tenant, soon: Any) -> None:
    job = JobFactory.create(tenant=tenant, failed=True)
    soon(finish_the_next)
    assert send(client, f"/v1/jobs/{job.pk}/retry", Prefer="wait=20").status_code == 200


def test_the_answer_after_waiting_is_the_one_that_is_kept(client: Client, soon: Any) -> None:
    soon(finish_the_next)
    first = send(client, "/v1/jobs", WANTED, Prefer="wait=20", Idempotency_Key="k")
    again = send(client, "/v1/jobs", WANTED, Prefer="wait=20", Idempotency_Key="k")
    assert (again.status_code, again.content) == (200, first.content)


def test_who_may_not_read_jobs_is_not_told_their_end(tenant: Tenant) -> None:
    submitter = client_of(tenant, Role.WEBHOOK_ONLY)
    response = send(submitter, "/v1/jobs", WANTED, Prefer="wait=20")
    assert response.status_code == 202
    assert not response.has_header("Preference-Applied")


def test_without_a_place_the_answer_comes_at_once(client: Client, tenant: Tenant) -> None:
    with ExitStack() as held:
        for _ in range(settings.AT_ONCE_PER_TENANT["waits"]):
            held.enter_context(ongoing.WAITS.one_of(tenant.pk))
        began = time.monotonic()
        response = send(client, "/v1/jobs", WANTED, Prefer="wait=20")
    assert time.monotonic() - began < 1
    assert response.status_code == 202
    assert not response.has_header("Preference-Applied")


@pytest.mark.parametrize("prefer", ["", "wait", "wait=", "wait=x", "respond-async", "await=20"])
def test_what_can_not_be_read_is_no_preference(client: Client, prefer: str) -> None:
    response = send(client, "/v1/jobs", WANTED, Prefer=prefer)
    assert response.status_code == 202
    assert not response.has_header("Preference-Applied")


def test_a_refusal_does_not_wait(client: Client) -> None:
    wrong = WANTED | {"priority": "x"}
    assert code_of(send(client, "/v1/jobs", wrong, Prefer="wait=20"), 422) == "invalid"
    assert not Job.objects.exists()
