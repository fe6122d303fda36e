"""R34: ended jobs have an end of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditRecord, Tenant
from accounts.quotas import limits, recount
from ffapi_site.lib.ids import lowest_id
from media_jobs.engine import job_retention
from media_jobs.maintenance import sweep
from media_jobs.models import Job, JobAttempt, JobEvent, Status
from storage.models import File
from tests.factories import (
    JobAttemptFactory,
    JobFactory,
    JobOutputFactory,
    JobStepFactory,
    TenantFactory,
)

pytestmark = pytest.mark.django_db

_DAY = timedelta(days=1)


def old_job(days: float, **fields: Any) -> Job:
    """A job that ended so many days ago, and was made a minute before."""
    ended = timezone.now() - days * _DAY
    made = ended - timedelta(minutes=1)
    given = {"status": Status.COMPLETED, "finished_at": ended} | fields
    return JobFactory.create(id=lowest_id("job", made), created_at=made, **given)


@pytest.fixture(autouse=True)
def _kept_for_ten_days(settings: Settings) -> None:
    settings.JOB_RETENTION_DAYS = 10


def test_it_works() -> None:
    gone, stays = old_job(10.1), old_job(9.9)
    JobAttemptFactory.create(job=gone)
    JobStepFactory.create(job=gone)
    assert job_retention.sweep() == 1
    assert list(Job.objects.all()) == [stays]
    assert not JobAttempt.objects.exists()
    assert not JobEvent.objects.filter(job_id=gone.pk).exists()
    record = AuditRecord.objects.get(event_type="job.expired")
    assert (record.resource_id, record.tenant_id) == (gone.pk, gone.tenant_id)
    assert record.details == {"operation": "transcode", "status": "completed"}


def test_it_is_a_chore() -> None:
    old_job(11)
    for chore in sweep.cleaning():
        chore.do()
    assert not Job.objects.exists()


def test_its_files_stay_for_as_long_as_files_do() -> None:
    file = JobOutputFactory.create(job=old_job(11), file__origin="job").file
    job_retention.sweep()
    assert list(File.objects.all()) == [file]


@pytest.mark.parametrize("status", ["queued", "running"])
def test_what_has_not_ended_stays_however_old(status: str) -> None:
    lease: dict[str, Any] = (
        {"lease_until": timezone.now(), "attempt": 1} if status == "running" else {}
    )
    old_job(100, status=status, finished_at=None, **lease)
    assert job_retention.sweep() == 0


def test_what_is_quarantined_stays_until_somebody_looked() -> None:
    job = old_job(100, status=Status.FAILED, quarantined_at=timezone.now())
    assert job_retention.sweep() == 0
    Job.objects.update(quarantined_at=None)
    assert job_retention.sweep() == 1
    assert not Job.objects.filter(pk=job.pk).exists()


def test_few_at_a_time_and_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_retention, "_BATCH", 2)
    jobs = [old_job(20 - number) for number in range(3)]
    assert [job_retention.sweep(), list(Job.objects.all())] == [2, [jobs[2]]]
    assert [job_retention.sweep(), job_retention.sweep()] == [1, 0]


def test_what_they_were_is_not_read_for_all_at_once() -> None:
    """A batch of the longest jobs would take more memory than its slot has."""
    for _ in range(2):
        old_job(11)
    with CaptureQueriesContext(connection) as asked:
        assert job_retention.sweep() == 2
    (batch,) = [each["sql"] for each in asked if f"LIMIT {job_retention._BATCH}" in each["sql"]]
    assert not any(column in batch for column in ("params", "result", "progress", "warnings"))


def test_its_room_is_given_back() -> None:
    tenant: Tenant = TenantFactory.create()
    old_job(11, tenant=tenant, row_bytes=5000)
    limits.set_for_tenant(tenant, {"max_storage_mb": 1})
    job_retention.sweep()
    assert recount.of_tenant(tenant.pk, mend=False) == []
