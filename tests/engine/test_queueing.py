from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Tenant
from accounts.quotas import suspension
from media_jobs.engine import queue_snapshot
from media_jobs.engine.queue_position import Place, Reason, places
from media_jobs.models import FairShare, Job, PausedLane, Slot
from tests.engine.claiming import claim
from tests.factories import ApiKeyFactory, JobFactory, SlotFactory, TenantFactory

pytestmark = pytest.mark.django_db


def place(job: Job) -> Place:
    return places([Job.objects.get(pk=job.pk)])[job.id]


def slot(number: int = 1, *, memory_mb: int = 4000, scratch_mb: int = 4000) -> Slot:
    room = {"memory_mb": memory_mb, "scratch_mb": scratch_mb}
    return SlotFactory.create(name=f"slot-{number}", host="host", **room)


def seconds_from_now(found: Place) -> float:
    assert found.starts_at is not None
    return (found.starts_at - timezone.now()).total_seconds()


def test_it_works(tenant: Tenant) -> None:
    slot()
    first, second = JobFactory.create_batch(2, tenant=tenant)
    assert (place(first).position, place(first).reason) == (1, Reason.NEXT)
    found = place(second)
    assert (found.position, found.reason) == (2, Reason.SLOTS_BUSY)
    assert "1 of your jobs" in found.detail
    assert claim() == first
    assert place(second).position == 1


def test_a_job_that_runs_has_no_place(tenant: Tenant) -> None:
    assert places([JobFactory.create(tenant=tenant, running=True)]) == {}


def test_the_position_is_the_order_of_the_claims(tenant: Tenant) -> None:
    slot()
    JobFactory.create_batch(3)  # of others, who take their turns beside
    low, normal, high = (JobFactory.create(tenant=tenant, priority=n) for n in (2, 1, 0))
    found = places(Job.objects.filter(tenant=tenant))
    assert [found[job.id].position for job in (high, normal, low)] == [1, 2, 3]
    FairShare.objects.bulk_create(
        FairShare(tenant=other, cpu_seconds=99, as_of=timezone.now())
        for other in Tenant.objects.exclude(pk=tenant.pk)
    )
    assert [claim(f"slot-{n}") for n in range(3)] == [high, normal, low]


def test_what_is_not_due_is_told_when_it_is(tenant: Tenant) -> None:
    slot()
    at = timezone.now() + timedelta(minutes=5)
    later = JobFactory.create(tenant=tenant, run_at=at)
    found = place(later)
    assert (found.reason, found.starts_at) == (Reason.NOT_DUE, at)
    # And it is in nobody's way until then.
    assert place(JobFactory.create(tenant=tenant, priority=2)).position == 1


def _suspend(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)


def _hold(tenant: Tenant) -> None:
    suspension.suspend(tenant, "a test")


def _pause(_: Tenant) -> None:
    PausedLane.objects.create(lane="cpu", reason="a new disk")


def _silence(_: Tenant) -> None:
    Slot.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("hinder", "reason", "word"),
    [
        (_suspend, Reason.TENANT_SUSPENDED, "suspended"),
        (_hold, Reason.QUOTA_SUSPENDED, "held"),
        (_pause, Reason.LANE_PAUSED, "a new disk"),
        (_silence, Reason.NO_SLOT, "no worker"),
    ],
)
def test_what_nobody_can_time_has_no_estimate(
    tenant: Tenant, hinder: Callable[[Tenant], None], reason: Reason, word: str
) -> None:
    slot()
    job = JobFactory.create(tenant=tenant)
    hinder(tenant)
    found = place(job)
    assert (found.reason, found.starts_at) == (reason, None)
    assert word in found.detail
    assert claim() is None or reason == Reason.NO_SLOT


@pytest.mark.parametrize(("capped", "reason"), [("tenant", "tenant_cap"), ("key", "key_cap")])
def test_a_full_cap_is_named(tenant: Tenant, capped: str, reason: str) -> None:
    slot(1), slot(2)
    key = ApiKeyFactory.create(tenant=tenant)
    row = tenant if capped == "tenant" else key
    row.max_concurrent_jobs = 1
    row.save()
    running, waiting = JobFactory.create_batch(2, tenant=tenant, api_key=key)
    assert claim("slot-1") == running
    Job.objects.filter(pk=running.pk).update(progress={"eta_seconds": 40.0})
    found = place(waiting)
    assert found.reason == reason
    assert 38 < seconds_from_now(found) < 42
    assert claim("slot-2") is None


def test_what_is_left_to_others_is_named(tenant: Tenant) -> None:
    slot(1), slot(2)
    TenantFactory.create()
    running, waiting = JobFactory.create_batch(2, tenant=tenant)
    assert claim("slot-1") == running
    Job.objects.filter(pk=running.pk).update(progress={"eta_seconds": 40.0})
    found = place(waiting)
    assert found.reason == Reason.TENANT_SHARE
    assert 38 < seconds_from_now(found) < 42
    assert claim("slot-2") is None


@pytest.mark.parametrize(
    ("needs", "reason"),
    [({"memory_mb": 3000}, "host_memory"), ({"scratch_mb": 3000}, "scratch_space")],
)
def test_missing_room_is_named(tenant: Tenant, needs: dict[str, int], reason: str) -> None:
    slot(1), slot(2)
    JobFactory.create(**needs)
    assert claim("slot-1", memory_mb=4000, scratch_mb=4000) is not None
    waiting = JobFactory.create(tenant=tenant, **needs)
    assert place(waiting).reason == reason
    assert claim("slot-2", memory_mb=4000, scratch_mb=4000) is None


def test_the_estimate_counts_those_ahead_and_shares_the_slots(
    tenant: Tenant, settings: Settings
) -> None:
    settings.MAX_CONCURRENT_JOBS_PER_TENANT = None
    slot(1), slot(2)
    FairShare.objects.create(tenant=tenant, typical_wall_seconds=10)
    busy = JobFactory.create_batch(2)
    for number in (1, 2):
        claim(f"slot-{number}")
    Job.objects.filter(pk__in=[job.pk for job in busy]).update(progress={"eta_seconds": 5.0})
    *_, last = JobFactory.create_batch(5, tenant=tenant)
    assert 24 < seconds_from_now(place(last)) < 26  # 5 s, and 4 jobs of 10 s on two slots
    JobFactory.create()  # another tenant takes every other turn
    assert 44 < seconds_from_now(place(last)) < 46


def test_a_list_asks_no_more_than_one_job(
    tenant: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    slot()
    JobFactory.create_batch(20, tenant=tenant)
    jobs = list(Job.objects.all())
    with django_assert_max_num_queries(1):
        assert len(places(jobs)) == 20


def test_a_long_queue_is_not_counted_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the length of the queue, the answer for the very last one takes milliseconds."""
    monkeypatch.setattr(queue_snapshot, "COUNTED", 200)
    tenants = TenantFactory.create_batch(5)
    for tenant in tenants:
        _queue_by_sql(tenant, 400)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE media_jobs_job")
    slot()
    last = Job.objects.filter(tenant=tenants[0]).order_by("-rank", "-id")[:1].get()
    took_s = []
    for _ in range(5):
        began = time.perf_counter()
        found = place(last)
        took_s.append(time.perf_counter() - began)
    assert found.position == 201
    assert "200 and more" in found.detail
    assert min(took_s) < 0.1, took_s


def _queue_by_sql(tenant: Tenant, number: int) -> None:
    """Copy one queued job many times over."""
    model = JobFactory.create(tenant=tenant)
    columns = [
        field.column
        for field in Job._meta.concrete_fields
        if field.column and field.column not in {"id", "rank", "run_at"}
    ]
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO media_jobs_job (id, run_at, {names}) "  # noqa: S608 -- our own columns
            f"SELECT 'job_' || left(md5(n || %s), 26), run_at + make_interval(secs => -n), {names} "
            "FROM media_jobs_job, generate_series(1, %s) AS n WHERE id = %s",
            [tenant.pk, number - 1, model.pk],
        )
