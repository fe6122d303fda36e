from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from tests.factories import JobFactory, SlotFactory
from tests.harness.cast import Cast


def test_it_works(alice: Client, cast: Cast) -> None:
    JobFactory.create(tenant=cast.tenant, running=True)
    JobFactory.create_batch(2, tenant=cast.tenant, completed=True)
    JobFactory.create(tenant=cast.tenant, completed=True, finished_at=timezone.now() - timedelta(2))
    JobFactory.create(tenant=cast.other_tenant, running=True)
    context = alice.get("/").context
    assert context["counts"] == {
        "queued": 0,
        "running": 1,
        "completed": 2,
        "failed": 0,
        "canceled": 0,
    }


def test_it_asks_again_only_while_something_goes_on(alice: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    assert b"data-hx-trigger" in alice.get("/").content
    job.delete()
    JobFactory.create(tenant=cast.tenant, completed=True)
    assert b"data-hx-trigger" not in alice.get("/").content


def test_the_fragment_is_only_the_live_part(alice: Client) -> None:
    content = alice.get("/", headers={"HX-Request": "true"}).content.decode()
    assert content.lstrip().startswith('<div id="overview"')


def test_the_first_look_shows_how_to_begin(alice: Client) -> None:
    assert "Start the first job" in alice.get("/").content.decode()


def test_it_counts_the_slots_that_are_alive(alice: Client) -> None:
    assert "No worker is running" in alice.get("/").content.decode()
    SlotFactory.create(name="cpu-1")
    SlotFactory.create(name="gone", heartbeat_at=timezone.now() - timedelta(1))
    JobFactory.create(running=True, slot="cpu-1")
    assert alice.get("/").context["slots"] == {"alive": 1, "busy": 1, "free": 0}
