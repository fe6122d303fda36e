"""R34: what jobs take in the database counts as storage."""

from __future__ import annotations

import json
import random

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.models import QuotaCounter, Tenant
from accounts.quotas import limits, recount
from media_jobs.engine import jobs, states
from media_jobs.models import Job, JobAttempt, Status
from media_jobs.worker.heartbeat import Drained, Heartbeat
from media_jobs.worker.receipt import Receipt
from media_jobs.worker.settlement import Settlement
from tests.api.sending import code_of
from tests.engine.claiming import claim

pytestmark = pytest.mark.django_db
_ASKED = jobs.Submission("transcode", {"input": "https://example.org/a.mp4"})


@pytest.fixture(autouse=True)
def _limited(tenant: Tenant) -> None:
    limits.set_for_tenant(tenant, {"max_storage_mb": 1})


def used(tenant: Tenant) -> int:
    rows = QuotaCounter.objects.filter(subject=tenant.pk, name="max_storage_mb")
    return sum(rows.values_list("used", flat=True))


def noise(size_bytes: int) -> str:
    """Text that can't be compressed to less than three quarters."""
    return random.Random(1).randbytes(size_bytes // 2).hex()  # noqa: S311 -- no secret


def running(tenant: Tenant) -> Job:
    jobs.submit(tenant, _ASKED)
    claimed = claim()
    assert claimed
    return claimed


def test_a_job_counts_at_what_was_asked_for(tenant: Tenant) -> None:
    job = jobs.submit(tenant, _ASKED)
    assert used(tenant) == job.row_bytes
    assert job.row_bytes > len(json.dumps(_ASKED.params))
    assert recount.of_tenant(tenant.pk, mend=False) == []


def test_it_counts_at_all_that_is_kept_once_it_has_ended(tenant: Tenant) -> None:
    job = running(tenant)
    JobAttempt.objects.update(log=noise(40_000))
    states.end(job, Status.COMPLETED, "done", result={"found": noise(100_000)})
    job.refresh_from_db()
    assert 70_000 < job.row_bytes < 160_000
    assert used(tenant) == job.row_bytes
    assert recount.of_tenant(tenant.pk, mend=False) == []


def test_it_counts_at_all_that_is_kept_where_it_ends_instead_of_waiting(tenant: Tenant) -> None:
    """It was to be queued again, and somebody had asked for its end."""
    job = running(tenant)
    Job.objects.update(cancel_requested_at=Now())
    settlement = Settlement(job, Receipt(), Heartbeat(job).wait_for_database)
    settlement.receipt.commands.printed.append(noise(100_000))
    settlement.settle(Drained())
    job.refresh_from_db()
    assert job.status == Status.CANCELED
    assert job.row_bytes > 50_000
    assert used(tenant) == job.row_bytes


def test_whoever_has_no_room_left_submits_no_more(tenant: Tenant, client: Client) -> None:
    for _ in range(3):
        job = running(tenant)
        JobAttempt.objects.filter(job=job).update(log=noise(100_000))
        states.end(job, Status.COMPLETED, "done", result={"found": noise(250_000)})
    body = {"operation": "transcode", "params": _ASKED.params}
    refused = client.post("/v1/jobs", body, content_type="application/json")
    assert code_of(refused, 429) == "quota_exceeded"
    assert refused.json()["quota"] == "max_storage_mb"
    assert Job.objects.count() == 3
    assert recount.of_tenant(tenant.pk, mend=False) == []


def test_a_deleted_job_gives_its_room_back_once(tenant: Tenant) -> None:
    job = jobs.submit(tenant, _ASKED)
    jobs.cancel(job)
    same = Job.objects.get(pk=job.pk)
    jobs.delete(job)
    assert used(tenant) == 0
    jobs.delete(same)
    assert used(tenant) == 0
    assert recount.of_tenant(tenant.pk, mend=False) == []
