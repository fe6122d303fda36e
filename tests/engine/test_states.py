from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import UsageEntry
from media_jobs.engine import lease, lost_workers, states
from media_jobs.models import FairShare, Job, JobAttempt, Status, WebhookDelivery
from tests.engine.claiming import claim
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db


def claimed(**fields: object) -> Job:
    JobFactory.create(**fields)
    job = claim("slot-1")
    assert job is not None
    return job


def statuses(job: Job) -> list[str]:
    return list(job.events.values_list("to_status", flat=True))


def test_it_works() -> None:
    job = claimed()
    states.end(job, Status.COMPLETED, "done", usage={"cpu_seconds": 1, "wall_seconds": 1})

    job.refresh_from_db()
    assert (job.status, job.attempt, job.slot, job.lease_until) == ("completed", 1, "", None)
    assert job.finished_at is not None
    assert statuses(job) == ["queued", "running", "completed"]
    attempt = JobAttempt.objects.get(job=job)
    assert (attempt.number, attempt.outcome) == (1, "completed")


def test_a_job_costs_what_all_its_attempts_did() -> None:
    job = claimed()
    states.give_back(job, "tried again later")
    JobAttempt.objects.filter(job=job).update(receipt={"cpu_seconds": 5.5})
    again = claim("slot-1")
    assert again is not None
    before = FairShare.objects.get().cpu_seconds
    states.end(again, Status.COMPLETED, "done", usage={"cpu_seconds": 1.0, "wall_seconds": 1.0})
    job.refresh_from_db()
    assert job.usage == {"cpu_seconds": 6.5, "wall_seconds": 1.0}
    assert UsageEntry.objects.get().cpu_ms == 6500
    # A share was charged with each claim: the last attempt alone corrects it, here by nothing.
    assert FairShare.objects.get().cpu_seconds == pytest.approx(before, abs=0.1)


def test_what_a_job_cost_is_charged_though_it_is_canceled_before_it_goes_on() -> None:
    job = claimed()
    states.give_back(job, "tried again later")
    JobAttempt.objects.filter(job=job).update(receipt={"cpu_seconds": 5.5})
    assert states.cancel_queued(job)
    assert UsageEntry.objects.get().cpu_ms == 5500


def test_a_worker_that_is_lost_makes_no_earlier_attempt_free() -> None:
    """What it cost itself nobody knows: that is what was reserved."""
    job = JobFactory.create(reserved_cpu_ms=1000, max_attempts=2)
    states.give_back(claimed_again(), "tried again later")
    JobAttempt.objects.filter(job=job).update(receipt={"cpu_seconds": 5.5})
    claimed_again()
    assert lost_workers.lose(Job.objects.filter(pk=job.pk), states.WORKER_LOST)
    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert UsageEntry.objects.get().cpu_ms == 6500


def claimed_again() -> Job:
    job = claim("slot-1")
    assert job is not None
    return job


def test_nothing_due_gives_nothing() -> None:
    assert claim("slot-1") is None


def test_a_job_is_not_claimed_before_its_time() -> None:
    JobFactory.create(run_at=timezone.now() + timedelta(seconds=30))
    assert claim("slot-1") is None


def test_a_lane_takes_only_its_own() -> None:
    JobFactory.create(lane="gpu")
    assert claim("slot-1") is None


def test_a_heartbeat_shows_progress_and_renews_the_lease() -> None:
    job = claimed()
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now())
    assert lease.renew(job, {"percent": 40.0}) is False
    job.refresh_from_db()
    assert job.progress == {"percent": 40.0}
    assert job.lease_until is not None
    assert job.lease_until > timezone.now() + timedelta(seconds=5)


def test_a_heartbeat_tells_of_a_cancel() -> None:
    job = claimed()
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
    assert lease.renew(job, {}) is True


def test_a_stale_attempt_can_write_nothing() -> None:
    stale = claimed()
    states.give_back(Job.objects.get(pk=stale.pk), "its slot fell silent")
    again = claim("slot-2")
    assert again is not None
    assert again.attempt == 2

    with pytest.raises(lease.Lost):
        lease.renew(stale, {"percent": 99.0})
    written: list[str] = []
    with pytest.raises(lease.Lost):
        states.end(stale, Status.COMPLETED, "too late", write=lambda: written.append("end"))
    with pytest.raises(lease.Lost):
        states.give_back(stale, "too late", write=lambda: written.append("give_back"))
    assert written == []
    states.end(again, Status.COMPLETED, "done")
    assert statuses(stale) == ["queued", "running", "queued", "running", "completed"]


def test_an_uncharged_attempt_does_not_count() -> None:
    job = claimed(max_attempts=3)
    states.give_back(job, "the slot is stopping", charged=False)
    job.refresh_from_db()
    assert (job.status, job.attempt, job.max_attempts) == ("queued", 1, 4)


@pytest.fixture
def asked_to_end() -> Job:
    job = claimed(max_attempts=3, webhook_url="https://example.org/hook")
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
    return job


@pytest.mark.parametrize("charged", [True, False])
def test_what_is_to_be_canceled_is_not_tried_again(asked_to_end: Job, *, charged: bool) -> None:
    """R16: whatever else ends the attempt."""
    usage = {"cpu_seconds": 1.5, "wall_seconds": 2.0}
    states.give_back(asked_to_end, "storage_full", delay_s=60, charged=charged, usage=usage)
    job = Job.objects.get(pk=asked_to_end.pk)
    assert (job.status, job.usage) == (Status.CANCELED, usage)
    assert statuses(job) == ["queued", "running", "canceled"]
    assert WebhookDelivery.objects.get(job=job).event == "job.canceled"
    assert UsageEntry.objects.get().cpu_ms == 1500


def test_what_is_to_be_canceled_does_not_fail(asked_to_end: Job) -> None:
    states.end(asked_to_end, Status.FAILED, "broken", error={"code": "x"}, quarantined_at=Now())
    job = Job.objects.get(pk=asked_to_end.pk)
    assert (job.status, job.error, job.quarantined_at) == (Status.CANCELED, None, None)


def test_what_is_complete_before_its_cancel_was_seen_is_complete(asked_to_end: Job) -> None:
    states.end(asked_to_end, Status.COMPLETED, "done")
    assert Job.objects.get(pk=asked_to_end.pk).status == Status.COMPLETED


def test_a_final_status_is_final() -> None:
    job = claimed()
    states.end(job, Status.FAILED, "broken")
    with pytest.raises(lease.Lost):
        states.end(job, Status.COMPLETED, "after all")
    assert states.cancel_queued(job) is False


def test_a_queued_job_is_canceled_at_once() -> None:
    job = JobFactory.create()
    assert states.cancel_queued(job) is True
    job.refresh_from_db()
    assert job.status == Status.CANCELED
    assert claim("slot-1") is None


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELED])
def test_the_end_of_a_job_leaves_one_webhook(status: Status) -> None:
    job = claimed(webhook_url="https://example.org/hook")
    states.end(job, status, "over")
    assert WebhookDelivery.objects.get(job=job).event == f"job.{status}"


@pytest.mark.django_db(transaction=True)
def test_many_claimers_share_the_jobs_without_a_double() -> None:
    expected = {JobFactory.create().pk for _ in range(40)}
    taken: list[str] = []

    def claim_all(slot: str) -> None:
        while job := claim(slot):
            taken.append(job.pk)
        connection.close()

    threads = [threading.Thread(target=claim_all, args=(f"slot-{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(expected)
