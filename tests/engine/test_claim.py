"""R15: which job is claimed next, and how many of a tenant at once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from accounts.quotas import suspension
from media_jobs.engine import states
from media_jobs.models import FairShare, Job, JobAttempt, PausedLane, Status
from media_jobs.models.job import AGEING_S
from tests.engine.claiming import claim
from tests.factories import ApiKeyFactory, JobFactory, SlotFactory, TenantFactory

pytestmark = pytest.mark.django_db
_LONG_AGO = timezone.now() - timedelta(minutes=1)


def end(job: Job | None, cpu_seconds: float = 1.0) -> None:
    assert job is not None
    usage = {"cpu_seconds": cpu_seconds, "wall_seconds": cpu_seconds}
    states.end(job, Status.COMPLETED, "done", usage=usage)


def tenants_served(times: int, cost_cpu_s: dict[Tenant, float]) -> list[Tenant]:
    """Claim and end one job after the other, each at its tenant's cost."""
    served = []
    for _ in range(times):
        job = claim()
        assert job is not None
        end(job, cost_cpu_s[job.tenant])
        served.append(job.tenant)
    return served


def test_who_used_less_is_served_first() -> None:
    greedy, modest = TenantFactory.create_batch(2)
    JobFactory.create_batch(30, tenant=greedy)
    tenants_served(10, {greedy: 5.0})
    JobFactory.create(tenant=modest)
    found = claim()
    assert found is not None
    assert found.tenant == modest


def test_shares_are_of_cpu_seconds_not_of_jobs() -> None:
    dear, cheap = TenantFactory.create_batch(2)
    JobFactory.create_batch(40, tenant=dear)
    JobFactory.create_batch(40, tenant=cheap)
    served = tenants_served(40, {dear: 9.0, cheap: 1.0})
    assert 2 <= served.count(dear) <= 8  # a tenth, give or take the estimates of the beginning


def test_what_the_quotas_suspended_waits_and_goes_on_afterwards() -> None:
    tenant = TenantFactory.create()
    job = JobFactory.create(tenant=tenant)
    suspension.suspend(tenant, "a test")
    assert claim() is None
    suspension.lift(tenant)
    assert claim() == job


def test_old_use_is_forgotten() -> None:
    tenant = TenantFactory.create()
    other = TenantFactory.create()
    FairShare.objects.create(
        tenant=tenant, cpu_seconds=1000, as_of=timezone.now() - timedelta(days=1)
    )
    FairShare.objects.create(tenant=other, cpu_seconds=1, as_of=timezone.now())
    JobFactory.create(tenant=other)
    JobFactory.create(tenant=tenant)
    found = claim()
    assert found is not None
    assert found.tenant == tenant


def test_a_high_job_goes_before_a_normal_one() -> None:
    tenant = TenantFactory.create()
    JobFactory.create(tenant=tenant, priority=1)
    high = JobFactory.create(tenant=tenant, priority=0)
    assert claim() == high


def test_low_never_starves() -> None:
    """A low job that has waited an ageing step longer goes before fresh normal ones."""
    tenant = TenantFactory.create()
    waited = timezone.now() - timedelta(seconds=AGEING_S + 5)
    low = JobFactory.create(tenant=tenant, priority=2, run_at=waited)
    JobFactory.create(tenant=tenant, priority=1)
    assert claim() == low


def test_a_priority_is_no_way_past_other_tenants() -> None:
    greedy, modest = TenantFactory.create_batch(2)
    FairShare.objects.create(tenant=greedy, cpu_seconds=50, as_of=timezone.now())
    JobFactory.create(tenant=greedy, priority=0)
    plain = JobFactory.create(tenant=modest, priority=2)
    assert claim() == plain


@pytest.mark.parametrize("capped", ["tenant", "key"])
def test_a_cap_holds(capped: str) -> None:
    tenant = TenantFactory.create()
    key = ApiKeyFactory.create(tenant=tenant)
    row = tenant if capped == "tenant" else key
    row.max_concurrent_jobs = 2
    row.save()
    JobFactory.create_batch(3, tenant=tenant, api_key=key)
    first = claim()
    assert claim() is not None
    assert claim() is None
    end(first)
    assert claim() is not None


def test_a_capped_tenant_does_not_stop_others() -> None:
    capped = TenantFactory.create(max_concurrent_jobs=0)
    JobFactory.create(tenant=capped)
    free = JobFactory.create()
    assert claim() == free


def _slots(number: int) -> None:
    for each in range(number):
        SlotFactory.create(name=f"host{each % 2}-{each}")


def _claimed(times: int) -> list[Tenant]:
    jobs = (claim(f"slot-{number}") for number in range(times))
    return [job.tenant for job in jobs if job]


class TestWhatIsLeftToOthers:
    """A tenant without a cap of its own can't hold every slot, on whichever hosts they are."""

    @pytest.fixture
    def greedy(self) -> Tenant:
        TenantFactory.create()  # who may come any time
        greedy: Tenant = TenantFactory.create()
        JobFactory.create_batch(5, tenant=greedy)
        return greedy

    @pytest.mark.parametrize("slots", [2, 4])
    def test_it_works(self, greedy: Tenant, slots: int) -> None:
        _slots(slots)
        assert _claimed(slots) == [greedy] * (slots - 1)
        late = JobFactory.create()
        assert claim() == late

    def test_one_slot_is_everybodys(self, greedy: Tenant) -> None:
        _slots(1)
        assert _claimed(1) == [greedy]

    def test_slots_that_are_down_or_unfit_are_none(self, greedy: Tenant) -> None:
        _slots(2)
        SlotFactory.create(name="down", heartbeat_at=_LONG_AGO)
        SlotFactory.create(name="unfit", sandbox={"allowed": False})
        SlotFactory.create(name="elsewhere", lane="gpu")
        assert _claimed(3) == [greedy]

    def test_who_is_alone_has_them_all(self, greedy: Tenant) -> None:
        _slots(2)
        Tenant.objects.exclude(pk=greedy.pk).update(is_active=False)
        assert _claimed(2) == [greedy] * 2

    def test_a_cap_of_ones_own_goes_before(self, greedy: Tenant) -> None:
        _slots(2)
        Tenant.objects.filter(pk=greedy.pk).update(max_concurrent_jobs=2)
        assert _claimed(2) == [greedy] * 2

    @pytest.mark.parametrize(("wanted", "running"), [(None, 4), (1, 1), (2, 2)])
    def test_the_operators_say_otherwise(
        self, greedy: Tenant, settings: Settings, wanted: int | None, running: int
    ) -> None:
        _slots(4)
        settings.MAX_CONCURRENT_JOBS_PER_TENANT = wanted
        assert _claimed(4) == [greedy] * running

    def test_each_lane_for_itself(self, greedy: Tenant) -> None:
        _slots(2)
        JobFactory.create(tenant=greedy, lane="gpu")
        assert claim(lane="gpu") is not None
        assert _claimed(2) == [greedy]


def test_a_suspended_tenant_waits() -> None:
    JobFactory.create(tenant=TenantFactory.create(is_active=False))
    assert claim() is None


def test_what_does_not_fit_beside_the_running_waits() -> None:
    JobFactory.create(memory_mb=600)
    first = claim(memory_mb=1000)
    JobFactory.create(memory_mb=600)
    assert claim("slot-2", memory_mb=1000) is None
    assert claim("slot-3", memory_mb=1000, host="another") is not None
    end(first)


def test_what_fits_goes_past_what_does_not() -> None:
    JobFactory.create(memory_mb=600)
    claim(memory_mb=1000)
    tenant = TenantFactory.create()
    JobFactory.create(tenant=tenant, memory_mb=600)
    small = JobFactory.create(tenant=tenant, memory_mb=300)
    assert claim("slot-2", memory_mb=1000) == small


def test_what_is_too_large_for_the_host_runs_alone() -> None:
    huge = JobFactory.create(memory_mb=9000)
    assert claim(memory_mb=1000) == huge
    JobFactory.create(memory_mb=1)
    assert claim("slot-2", memory_mb=1000) is None


def test_scratch_space_is_reserved() -> None:
    JobFactory.create_batch(2, scratch_mb=60)
    assert claim(scratch_mb=100) is not None
    assert claim("slot-2", scratch_mb=100) is None


def test_a_paused_lane_takes_nothing() -> None:
    JobFactory.create()
    PausedLane.objects.create(lane="cpu", reason="upgrade")
    assert claim() is None
    PausedLane.objects.all().delete()
    assert claim() is not None


@pytest.mark.parametrize(
    "change",
    [{"status": "running", "lease_until": timezone.now()}, {"status": "queued"}, {"attempt": 0}],
)
def test_the_database_itself_keeps_the_rules(change: dict[str, Any]) -> None:
    job = JobFactory.create(completed=True, attempt=2)
    with pytest.raises(ProgrammingError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**change)


_MOST_RUNNING = """
CREATE FUNCTION pg_temp.most_running(the_tenant text, samples int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    most int := 0;
BEGIN
    FOR sample IN 1..samples LOOP
        most := greatest(most, (
            SELECT count(*) FROM media_jobs_job
            WHERE tenant_id = the_tenant AND status = 'running'));
        IF sample % 4 = 0 THEN
            PERFORM pg_sleep(0.001);
        END IF;
    END LOOP;
    RETURN most;
END $$
"""


@pytest.mark.django_db(transaction=True)
def test_a_cap_is_never_passed_under_contention() -> None:
    tenant = TenantFactory.create(max_concurrent_jobs=3)
    JobFactory.create_batch(20, tenant=tenant)
    is_over = threading.Event()

    def work(slot: str) -> None:
        while not is_over.is_set():
            if job := claim(slot):
                states.give_back(job, "a test", charged=False)
        connection.close()

    threads = [threading.Thread(target=work, args=(f"slot-{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute(_MOST_RUNNING)
            cursor.execute("SELECT pg_temp.most_running(%s, 10000)", [tenant.pk])
            [most] = cursor.fetchone()
            cursor.execute("RESET statement_timeout")
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert most == 3
    assert JobAttempt.objects.count() > 100


def test_a_claim_never_reads_the_whole_table() -> None:
    """Though its index looks dear, as after a long queue: a large one of a small table."""
    JobFactory.create_batch(3)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL random_page_cost = 1000")
        before = _read_wholly(cursor)
        assert claim() is not None
        assert _read_wholly(cursor) == before


def _read_wholly(cursor: Any) -> int:
    cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'media_jobs_job'")
    return int(cursor.fetchone()[0])
