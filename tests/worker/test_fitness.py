"""A slot whose sandbox does not hold is alive, says so, and takes no job until it does."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.test import Client

from media_jobs import sandbox
from media_jobs.engine.queue_position import Reason, places
from media_jobs.host import slot_state
from media_jobs.models import Job, Slot, Status
from media_jobs.sandbox import landlock
from media_jobs.slot import process, tasks
from media_jobs.slot.broker import TokenBroker
from media_jobs.slot.process import Guard
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _open_gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FFAPI_SLOT", "host-cpu-1")
    yield
    slot_state.unfit.clear()


@pytest.fixture
def no_landlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFAPI_SANDBOX_NAMESPACES", "off")
    monkeypatch.setattr(landlock, "version", lambda: (0, "the kernel has no Landlock"))


def _beat(of: Guard) -> Slot:
    of.check()
    return Slot.objects.update_or_create(name=of.name, defaults=of._row)[0]


def test_it_works() -> None:
    slot = _beat(Guard("cpu", 1))
    assert not slot_state.unfit.is_set()
    assert slot.sandbox["allowed"]
    assert (slot.sandbox["leaks"], slot.sandbox["reason"]) == ([], "")
    assert slot.sandbox["probes"] >= 60
    assert slot.sandbox["checked_at"]
    assert slot.capabilities["version"]


@pytest.mark.usefixtures("no_landlock")
def test_jobs_stay_queued_and_say_why(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        slot = _beat(Guard("cpu", 1))
    assert not slot.sandbox["allowed"]
    assert "The sandbox does not hold" in caplog.text
    job = JobFactory.create()
    tasks.work("cpu")
    assert TokenBroker("cpu").dequeue() is None
    job.refresh_from_db()
    assert (job.status, job.attempt) == (Status.QUEUED, 0)
    place = places([Job.objects.get(pk=job.pk)])[job.id]
    assert (place.reason, place.starts_at) == (Reason.NO_SANDBOX, None)
    told = client.get("/health/ready")
    assert told.status_code == 503
    assert "the kernel has no Landlock" in told.json()["components"]["sandbox"]


def test_it_is_found_within_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Guard("cpu", 1)
    watched.check()
    monkeypatch.setenv("FFAPI_SANDBOX_NAMESPACES", "off")
    monkeypatch.setattr(landlock, "version", lambda: (0, "lost"))
    watched._check_when_due()
    assert not slot_state.unfit.is_set()
    watched._checked_at -= process._CHECK_S
    watched._check_when_due()
    assert slot_state.unfit.is_set()


def test_what_holds_again_takes_jobs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Guard("cpu", 1)
    with monkeypatch.context() as broken:
        broken.setenv("FFAPI_SANDBOX_NAMESPACES", "off")
        broken.setattr(landlock, "version", lambda: (0, "lost"))
        watched.check()
    assert slot_state.unfit.is_set()
    watched._checked_at -= process._CHECK_UNFIT_S
    watched._check_when_due()
    assert not slot_state.unfit.is_set()


def test_an_escape_closes_the_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the layers say of themselves: the filter lets through what it should refuse."""
    monkeypatch.setenv("ALLOW_DEGRADED_SANDBOX", "1")
    monkeypatch.setenv("FFAPI_SANDBOX_DISABLE", "seccomp")
    slot = _beat(Guard("cpu", 1))
    assert (slot.sandbox["level"], slot.sandbox["allowed"]) == ("none", True)
    assert {"fork", "udp", "io_uring"} <= set(slot.sandbox["leaks"])
    escaped = [sandbox.Probe(name, blocked=False) for name in slot.sandbox["leaks"]]
    monkeypatch.delenv("ALLOW_DEGRADED_SANDBOX")
    assert not sandbox.report(escaped).allowed
