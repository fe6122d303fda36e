from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.test import AsyncClient, Client
from pytest_django import Settings

from accounts import keys
from accounts.models import Tenant
from ffapi_site.lib import ongoing
from media_jobs.engine import jobs, lease, states
from media_jobs.events import CANCEL_REQUESTED, Event
from media_jobs.events.change_feed import announce, feed
from media_jobs.models import Job, Status
from tests.api.sending import code_of
from tests.engine.claiming import claim
from tests.factories import JobFactory, TenantFactory
from tests.harness.api_client import key_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("_no_feed_left"),
]

Told = list[dict[str, Any]]


async def jobs_of(stream: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    async for block in stream:
        lines = block.decode().splitlines()
        if lines[0] == "event: job":
            yield json.loads(lines[2].removeprefix("data: "))


def listen(key: str, job: Job, *steps: Callable[[], Any]) -> Told:
    """Take the next step after each event, and give all the events."""

    async def follow() -> Told:
        headers = {"X-API-Key": key, "Accept": "text/event-stream", "Last-Event-ID": "7"}
        response: Any = await AsyncClient().get(f"/v1/jobs/{job.pk}/events", headers=headers)
        assert response.status_code == 200, response.content
        assert response["Content-Type"] == "text/event-stream"
        told, left = [], list(steps)
        async for body in jobs_of(aiter(response)):
            told.append(body)
            if left:
                await sync_to_async(left.pop(0))()
        return told

    return async_to_sync(follow)()


def wake(job: Job) -> None:
    announce(Event(CANCEL_REQUESTED, job.tenant_id, job))


def test_it_works(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant)

    def start() -> None:
        claim()

    def work() -> None:
        lease.renew(Job.objects.get(), {"percent": 40.0, "stage": "encoding"})

    def finish() -> None:
        states.end(Job.objects.get(), Status.COMPLETED, "done")

    told = listen(key_of(tenant), job, start, work, finish)
    seen = [(each["status"], each["progress"]["percent"]) for each in told]
    assert seen == [("queued", 0.0), ("running", 0.0), ("running", 40.0), ("completed", 100.0)]


def test_an_ended_job_is_told_once(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, failed=True)
    assert [each["status"] for each in listen(key_of(tenant), job)] == ["failed"]


def test_the_stream_ends_with_its_job(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant)

    def remove() -> None:
        jobs.cancel(job)
        job.refresh_from_db()
        jobs.delete(job)
        wake(job)

    assert [each["status"] for each in listen(key_of(tenant), job, remove)] == ["queued"]


def _revoke(tenant: Tenant) -> None:
    keys.revoke(tenant.api_keys.get())


def _narrow(tenant: Tenant) -> None:
    tenant.api_keys.update(narrowed_to=["files:read"])


def _suspend(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)


@pytest.mark.parametrize("end", [_revoke, _narrow, _suspend])
def test_the_stream_ends_with_its_key(tenant: Tenant, end: Callable[[Tenant], None]) -> None:
    job = JobFactory.create(tenant=tenant)

    def go_on() -> None:
        end(tenant)
        wake(job)

    assert [each["status"] for each in listen(key_of(tenant), job, go_on)] == ["queued"]


def test_nobody_is_left_waiting(tenant: Tenant) -> None:
    listen(key_of(tenant), JobFactory.create(tenant=tenant, canceled=True))
    assert not feed._waiting
    assert not ongoing.STREAMS.taken(tenant.pk)


def test_past_so_many_listeners_the_next_is_sent_away(
    client: Client, tenant: Tenant, settings: Settings
) -> None:
    job = JobFactory.create(tenant=tenant)
    settings.AT_ONCE_PER_TENANT = settings.AT_ONCE_PER_TENANT | {"streams": 1}
    path = f"/v1/jobs/{job.pk}/events"
    with ongoing.STREAMS.one_of(TenantFactory.create().pk):  # a stranger's is none of ours
        begun = client.get(path)  # and not read yet
    assert begun.status_code == 200
    assert code_of(client.get(path), 429) == "too_many_at_once"
    begun.close()
    assert client.get(path).status_code == 200
