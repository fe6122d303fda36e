from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from ffapi_site.lib import chores
from media_jobs.engine import lost_workers, wakeups
from media_jobs.host import scratch
from media_jobs.maintenance import sweep
from media_jobs.models import Job, Slot, Status
from tests.engine.claiming import claim
from tests.factories import JobFactory, SlotFactory

pytestmark = pytest.mark.django_db


def silent(**fields: object) -> Job:
    job = JobFactory.create(running=True, **fields)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    return job


def slot(number: int = 1) -> Slot:
    return SlotFactory.create(name=f"host-cpu-{number}")


def do_queue_chores() -> None:
    for chore in sweep.queue_chores():
        chore.do()


def test_it_works() -> None:
    job = silent()
    assert sweep.reap() == 1
    job.refresh_from_db()
    assert (job.status, job.attempt, job.slot) == (Status.QUEUED, 1, "")
    again = claim("slot-2")
    assert again is not None
    assert again.attempt == 2


def test_each_job_is_reaped_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever held the counters of two tenants would wait in a circle with who ends jobs."""
    jobs, lose, left = [silent(), silent()], lost_workers._lose, [True]
    monkeypatch.setattr(sweep, "_LOST", chores.Items("reap", rest_s=0))
    monkeypatch.setattr(lost_workers, "_lose", lambda *lost: left.pop() and lose(*lost))
    do_queue_chores()  # one that can't be reaped holds up none of the others
    statuses = {Job.objects.get(pk=job.pk).status for job in jobs}
    assert statuses == {Status.QUEUED, Status.RUNNING}
    monkeypatch.undo()
    do_queue_chores()
    assert not Job.objects.filter(status=Status.RUNNING).exists()


def test_a_live_job_is_left_alone() -> None:
    JobFactory.create(running=True)
    assert sweep.reap() == 0


def test_the_last_attempt_s_silence_fails_the_job() -> None:
    job = silent(attempt=4, max_attempts=4)
    sweep.reap()
    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert job.error is not None
    assert job.error["code"] == "worker_lost"


def test_a_canceled_job_of_a_dead_slot_ends_canceled() -> None:
    job = silent(cancel_requested_at=timezone.now())
    sweep.reap()
    job.refresh_from_db()
    assert job.status == Status.CANCELED


def test_lost_tokens_are_made_again_for_as_many_slots_as_live() -> None:
    slot(1), slot(2)
    for _ in range(5):
        JobFactory.create()
    wakeups.renew()
    assert wakeups.waiting_tokens("cpu") == 2
    wakeups.renew()
    assert OrmQ.objects.count() == 2


def test_nothing_due_needs_no_token() -> None:
    slot()
    JobFactory.create(run_at=timezone.now() + timedelta(minutes=1))
    do_queue_chores()
    assert OrmQ.objects.count() == 0


def test_the_sweep_leaves_a_live_job_s_folder(settings: Settings) -> None:
    live = JobFactory.create(running=True)
    settings.SCRATCH_DIR.mkdir(parents=True, exist_ok=True)
    kept = settings.SCRATCH_DIR / scratch.of_attempt(live)
    stale = settings.SCRATCH_DIR / f"{live.id}.7"
    kept.mkdir()
    stale.mkdir()
    assert scratch.sweep() == 1
    assert kept.exists()
    assert not stale.exists()
    kept.rmdir()


def test_the_sweep_forgets_slots_that_are_long_gone() -> None:
    old = slot()
    Slot.objects.filter(pk=old.pk).update(heartbeat_at=timezone.now() - timedelta(hours=2))
    for chore in sweep.cleaning():
        chore.do()
    assert not Slot.objects.exists()


def test_after_a_pause_whoever_works_may_first_renew_its_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """R5: the database stood still: no lease could be renewed, and no guard could beat."""
    monkeypatch.setattr(sweep, "_LATE_S", 0.1)
    monkeypatch.setattr(sweep, "_RENEWED_WITHIN_S", 0.5)
    pauses = sweep.Pauses()
    pauses.look()
    job = silent()
    time.sleep(0.2)
    assert sweep.reap(pauses) == 0
    until = time.monotonic() + 10
    while not sweep.reap(pauses):
        assert time.monotonic() < until
        time.sleep(0.05)
    job.refresh_from_db()
    assert job.status == Status.QUEUED
