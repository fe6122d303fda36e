from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from accounts.models import Tenant
from ffapi_site.lib.problems import Conflict
from media_jobs.engine import jobs, lost_workers, states
from media_jobs.maintenance import sweep
from media_jobs.models import Job, Status
from tests.engine.claiming import claim
from tests.factories import JobFactory, UserFactory

pytestmark = pytest.mark.django_db


def die_of(job: Job, cause: str = states.WORKER_DIED) -> Job:
    """A worker claims the job and dies; the guard of its slot lives on and says so."""
    began = timezone.now() - timedelta(minutes=1)
    assert claim() == job
    lost_workers.report("slot-1", cause, since=began)
    return Job.objects.get(pk=job.pk)


def fall_silent(job: Job) -> Job:
    """A worker claims the job and is not heard of again, nor is its guard."""
    assert claim() == job
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep.reap() == 1
    return Job.objects.get(pk=job.pk)


def outcomes(job: Job) -> list[str]:
    return [each.outcome for each in job.attempts.all()]


def test_it_works(tenant: Tenant) -> None:
    """R18: the third death is the last."""
    job = JobFactory.create(tenant=tenant, max_attempts=9)
    assert [die_of(job).status for _ in range(2)] == [Status.QUEUED, Status.QUEUED]
    dead = die_of(job, states.WORKER_HUNG)
    assert (dead.status, dead.attempt) == (Status.FAILED, 3)
    assert dead.error is not None
    assert dead.error["code"] == "poison"
    assert list(Job.objects.quarantined()) == [dead]
    assert outcomes(dead) == ["worker died", "worker died", "worker hung"]
    assert claim() is None


def test_the_silence_of_whole_hosts_is_no_poison(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, max_attempts=9)
    for _ in range(8):
        assert fall_silent(job).status == Status.QUEUED
    ended = fall_silent(job)
    assert ended.error is not None
    assert (ended.error["code"], ended.quarantined_at) == ("worker_lost", None)


def test_the_silence_of_a_host_is_no_death_beside_others(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, max_attempts=9)
    die_of(job), fall_silent(job), die_of(job)
    assert fall_silent(job).status == Status.QUEUED
    assert die_of(job).quarantined_at is not None


def test_a_death_is_known_after_the_lease_has_run_out_too(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, max_attempts=9)
    began = timezone.now() - timedelta(minutes=1)
    fall_silent(job)
    lost_workers.report("another slot", states.WORKER_HUNG, since=began)
    assert outcomes(job) == ["worker lost"]
    lost_workers.report("slot-1", states.WORKER_HUNG, since=timezone.now())
    assert outcomes(job) == ["worker lost"]
    lost_workers.report("slot-1", states.WORKER_HUNG, since=began)
    assert outcomes(job) == ["worker hung"]


def test_a_death_between_two_jobs_is_nobody_s(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant)
    began = timezone.now() - timedelta(minutes=1)
    claimed = claim()
    assert claimed is not None
    states.end(claimed, Status.COMPLETED, "done")
    lost_workers.report("slot-1", states.WORKER_DIED, since=began)
    assert outcomes(job) == ["completed"]


def test_a_canceled_job_is_no_dead_letter(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, max_attempts=9, cancel_requested_at=timezone.now())
    with override_settings(POISON_AFTER_DEATHS=1):
        ended = die_of(job)
    assert (ended.status, ended.quarantined_at, ended.error) == (Status.CANCELED, None, None)


def test_other_failures_are_no_deaths(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, max_attempts=9)
    die_of(job)
    for _ in range(3):
        claimed = claim()
        assert claimed is not None
        states.give_back(claimed, "storage_full: tried again later")
    assert die_of(job).status == Status.QUEUED


def test_the_number_of_deaths_is_a_setting(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant)
    with override_settings(POISON_AFTER_DEATHS=1):
        assert die_of(job).quarantined_at is not None


def test_a_single_attempt_s_death_is_no_poison(tenant: Tenant) -> None:
    job = die_of(JobFactory.create(tenant=tenant, max_attempts=1))
    assert job.error is not None
    assert (job.error["code"], job.quarantined_at) == ("worker_lost", None)


@pytest.fixture
def dead(transcode: Callable[..., Job]) -> Job:
    job = transcode(tags=["odd"])
    with override_settings(POISON_AFTER_DEATHS=1):
        return die_of(job)


def test_staff_requeue_it_as_a_new_job(dead: Job, work: Callable[[Job], Job]) -> None:
    staff = UserFactory.create(is_staff=True)
    again = jobs.requeue(dead, user=staff)
    assert (again.status, again.tags, again.user) == (Status.QUEUED, ["odd"], staff)
    assert not Job.objects.quarantined().exists()
    assert Job.objects.get(pk=dead.pk).status == Status.FAILED
    assert work(again).status == Status.COMPLETED


def test_it_is_requeued_once(dead: Job) -> None:
    jobs.requeue(dead)
    with pytest.raises(Conflict) as refused:
        jobs.requeue(dead)
    assert refused.value.code == "job_not_quarantined"
    assert Job.objects.filter(status=Status.QUEUED).count() == 1


def test_its_tenant_can_t_retry_it(dead: Job) -> None:
    with pytest.raises(Conflict) as refused:
        jobs.retry(dead)
    assert refused.value.code == "job_quarantined"
    assert not Job.objects.filter(status=Status.QUEUED).exists()
