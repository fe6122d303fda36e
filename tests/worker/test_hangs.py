"""R29: what stands still in a slot is seen by what others see of it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta

import psutil
import pytest
from django.test import Client
from django.utils import timezone

from ffapi_site.lib import chores
from media_jobs.engine import states
from media_jobs.engine.queue_position import places
from media_jobs.host import slot_state
from media_jobs.maintenance import sweep
from media_jobs.models import Job, Slot, Status
from media_jobs.slot import hangs
from media_jobs.slot import process as guard
from media_jobs.slot.hangs import Hangs
from media_jobs.slot.process import Guard
from tests.engine.claiming import claim
from tests.factories import JobFactory
from tests.harness.processes import stop

pytestmark = pytest.mark.django_db


class Ended(BaseException):
    """The guard would have ended its process"""


class Clock:
    """The watch's, which goes as every clock does, and can be put ahead."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s


CLOCK = Clock()


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A slot that works; what its processes share is as before afterwards."""
    CLOCK.ahead_s = 0.0
    monkeypatch.setattr(hangs, "time", CLOCK)
    monkeypatch.setattr(hangs, "_WITHOUT_LEASE_S", 0.2)
    monkeypatch.setattr(guard, "end_process", _end)
    monkeypatch.setattr(chores, "end_process", _end)
    slot_state.sentinel_at.value = slot_state.pusher_at.value = time.monotonic()
    yield
    slot_state.sentinel_at.value = slot_state.pusher_at.value = slot_state.taken_at.value = 0.0


def _end(why: str) -> None:
    raise Ended(why)


def take_token() -> None:
    slot_state.taken_at.value = time.monotonic()


@pytest.fixture
def slot() -> Guard:
    made = Guard("cpu", 1)
    made._row["sandbox"] = {"allowed": True, "level": "full"}
    made._tell(hung="")
    return made


@pytest.fixture
def watch(slot: Guard) -> Hangs:
    return Hangs(slot.name, os.getpid())


def looked(watch: Hangs) -> Hangs:
    """As the guard sees it after a while."""
    for _ in range(2):
        watch.look()
        CLOCK.ahead_s += 0.25
    return watch


def certain(watch: Hangs) -> str:
    found = looked(watch).certain
    return found.told if found else ""


def claimed(slot: Guard) -> Job:
    take_token()
    JobFactory.create(max_attempts=9)
    job = claim(slot.name)
    assert job is not None
    return job


def lose_lease(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_it_works(slot: Guard, watch: Hangs) -> None:
    """An idle slot and one that works on a job are both well."""
    assert looked(watch).suspected == ""
    claimed(slot)
    assert (looked(watch).suspected, watch.certain) == ("", None)


def test_a_worker_that_holds_no_lease_and_does_not_end_hangs(slot: Guard, watch: Hangs) -> None:
    lose_lease(claimed(slot))
    assert certain(watch) == "the worker neither works nor ends"


def test_it_may_hang_outside_of_an_attempt(watch: Hangs) -> None:
    take_token()
    assert certain(watch) == "the worker neither works nor ends"


def test_the_lease_of_another_slot_is_not_its_own(watch: Hangs) -> None:
    take_token()
    JobFactory.create()
    assert claim("another slot") is not None
    assert looked(watch).certain


def test_a_moment_between_two_tokens_is_no_hang(watch: Hangs) -> None:
    for _ in range(4):
        take_token()
        watch.look()
        assert (watch.suspected, watch.certain) == ("", None)
        CLOCK.ahead_s += 0.15


def test_it_is_suspected_before_it_is_certain(
    watch: Hangs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hangs, "_WITHOUT_LEASE_S", 60)
    take_token()
    watch.look()
    assert watch.suspected == ""
    assert looked(watch).suspected
    assert watch.certain is None


def test_nobody_takes_tokens(watch: Hangs) -> None:
    slot_state.pusher_at.value = time.monotonic() - 31
    assert certain(watch) == "nothing takes tokens"


def test_while_it_works_nobody_needs_to(slot: Guard, watch: Hangs) -> None:
    slot_state.pusher_at.value = time.monotonic() - 31
    claimed(slot)
    assert looked(watch).certain is None


def test_a_silent_sentinel(watch: Hangs) -> None:
    slot_state.sentinel_at.value = time.monotonic() - 31
    assert certain(watch) == "the sentinel is silent"


def test_what_stood_still_with_the_guard_goes_on_with_it(
    watch: Hangs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A paused machine: after it all has been silent, and the first look comes before all else."""
    slot_state.sentinel_at.value = slot_state.pusher_at.value = time.monotonic() - 31
    watch.look()
    assert watch.certain is None
    monkeypatch.setattr(hangs, "_LATE_S", 0.1)
    assert looked(watch).certain is None
    monkeypatch.undo()
    slot_state.sentinel_at.value = slot_state.pusher_at.value = time.monotonic()
    assert looked(watch).suspected == ""


def test_a_silence_beside_a_job_that_goes_on_is_not_the_job_s(slot: Guard, watch: Hangs) -> None:
    """Its slot ends, and another slot takes it at once; what it died of counts for nothing."""
    job = claimed(slot)
    slot_state.sentinel_at.value = time.monotonic() - 31
    with pytest.raises(Ended, match="the sentinel is silent"):
        slot._beat(looked(watch))
    job.refresh_from_db()
    assert (job.status, job.attempts.get().outcome) == (Status.QUEUED, states.WORKER_LOST)


def test_a_stopped_process_of_an_idle_slot(slot: Guard, settings: object) -> None:
    settings.LEASE_SECONDS = 0  # type: ignore[attr-defined]
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            stop(psutil.Process(process.pid))
            assert certain(Hangs(slot.name, process.pid)) == "a process was stopped"
        finally:
            process.kill()


def test_the_guard_replaces_it_and_says_so(slot: Guard, watch: Hangs, client: Client) -> None:
    """The job is given to another slot with the reason, and readiness tells the truth meanwhile."""
    job = claimed(slot)
    assert client.get("/health/ready").status_code == 200
    lose_lease(job)
    slot._tell(hung=looked(watch).suspected)
    told = client.get("/health/ready")
    assert told.status_code == 503
    assert "stands still" in told.json()["components"]["slots"]
    waiting = JobFactory.create()
    assert places([waiting])[waiting.id].starts_at is None
    with pytest.raises(Ended):
        slot._beat(looked(watch))
    job.refresh_from_db()
    assert job.status == Status.QUEUED
    assert [each.outcome for each in job.attempts.all()] == [states.WORKER_HUNG]


def test_the_second_hang_is_the_last(slot: Guard, watch: Hangs) -> None:
    """A job is not passed from slot to slot to hang each."""
    job = claimed(slot)
    for _ in range(2):
        take_token()
        assert job.status == Status.RUNNING or claim(slot.name) == job
        lose_lease(job)
        with pytest.raises(Ended):
            slot._beat(looked(watch))
        job.refresh_from_db()
    assert (job.status, job.attempt) == (Status.FAILED, 2)
    assert job.quarantined_at is not None


def test_a_hang_without_a_job_is_nobody_s(slot: Guard, watch: Hangs) -> None:
    job = claimed(slot)
    states.end(job, Status.COMPLETED, "done")
    take_token()
    with pytest.raises(Ended):
        slot._beat(looked(watch))
    job.refresh_from_db()
    assert (job.status, job.attempts.get().outcome) == (Status.COMPLETED, "completed")


def test_a_job_is_left_to_a_guard_that_beats(slot: Guard) -> None:
    """It sees what others can't: whether the worker hangs, and so would the next one."""
    job = claimed(slot)
    lose_lease(job)
    assert sweep.reap() == 0
    Slot.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=10))
    assert sweep.reap() == 1


def test_a_guard_is_not_waited_for_without_end(slot: Guard) -> None:
    job = claimed(slot)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=21))
    assert sweep.reap() == 1


def test_a_guard_that_started_later_knows_nothing(slot: Guard) -> None:
    lose_lease(claimed(slot))
    Slot.objects.update(started_at=timezone.now())
    assert sweep.reap() == 1


def test_what_a_worker_gave_up_is_let_go_at_once(slot: Guard) -> None:
    """It was cut off from the database for longer than its lease, and has ended."""
    job = claimed(slot)
    lose_lease(job)
    slot._let_go()
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    slot_state.taken_at.value = 0.0
    slot._let_go()
    job.refresh_from_db()
    assert job.status == Status.QUEUED
    assert job.attempts.get().outcome == states.WORKER_LOST


def test_a_chore_that_never_ends_ends_the_slot(slot: Guard) -> None:
    slot._require_progress()
    slot._cleaning._doing = "files", time.monotonic() - 1000
    with pytest.raises(Ended, match="files"):
        slot._require_progress()


def test_a_slot_that_does_not_stop_is_ended(slot: Guard) -> None:
    slot_state.draining.set()
    try:
        slot._require_progress()
        slot._draining_since = time.monotonic() - 1000
        with pytest.raises(Ended, match="told to stop"):
            slot._require_progress()
    finally:
        slot_state.draining.clear()
