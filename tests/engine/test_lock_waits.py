"""What one transaction has in hand another waits for, and then finds as it is by then.

One interleaving each: the second begins while the first is uncommitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from pytest_django import Settings

from accounts import keys
from accounts.keys.authority import Authority
from accounts.models import ApiKey, Tenant
from accounts.quotas import limits, recount, reservations
from ffapi_site.lib.problems import Conflict
from media_jobs.engine import lease, states
from media_jobs.ffmpeg.command import Command
from media_jobs.models import Job, JobStep, Status
from media_jobs.worker.answers import Answers
from media_jobs.worker.inputs import Inputs
from tests.factories import ApiKeyFactory, JobFactory, PlanFactory, TenantFactory

pytestmark = pytest.mark.django_db(transaction=True)
Verb = Callable[[], object]
Begin = Callable[[Verb], Future[object]]
_BY = Authority(frozenset("*"), None)
_LIMITS = {"max_jobs_per_day": 5, "max_storage_mb": 1}


def _is_held_up(session: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_blocking_pids(%s) <> '{}'", [session])
        return bool(cursor.fetchone()[0])


def _own_session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begin something in a session of its own; give it once it waits for a lock, or has ended."""
    with ThreadPoolExecutor(1) as thread:
        session = thread.submit(_own_session).result()

        def begun(verb: Verb) -> Future[object]:
            verb_at_work = thread.submit(verb)
            while not _is_held_up(session):
                if wait([verb_at_work], 0.01).done:
                    break
            return verb_at_work

        yield begun
        thread.submit(connections.close_all).result()


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


def test_of_two_that_make_the_last_key_one_does(
    tenant: Tenant, begin: Begin, settings: Settings
) -> None:
    settings.MAX_API_KEYS_PER_TENANT = 1
    wanted = keys.Wanted("build", "viewer")
    with transaction.atomic():
        keys.create(tenant, wanted, _BY)
        second = begin(lambda: keys.create(tenant, wanted, _BY))
    with pytest.raises(Conflict, match="at most 1 keys"):
        second.result()
    assert ApiKey.objects.for_tenant(tenant).count() == 1


def _keep_answer(job: Job) -> None:
    measuring = Command(("-i", "a.mp4", "-f", "null", "-"), parse=str)
    answers = Answers(job, Path(), Inputs({}, 0, {}), lambda: None)
    answers.keep(0, measuring, "-23.0")


_WRITES: dict[str, Callable[[Job], object]] = {
    "end": lambda job: states.end(job, Status.COMPLETED, "done"),
    "give back": lambda job: states.give_back(job, "no room", charged=False),
    "keep an answer": _keep_answer,
}


@pytest.mark.parametrize("write", _WRITES)
def test_an_attempt_that_is_being_lost_writes_nothing(write: str, begin: Begin) -> None:
    job = JobFactory.create(running=True)
    late = Job.objects.get(pk=job.pk)
    with transaction.atomic():
        states.give_back(job, "silent", outcome=states.WORKER_LOST)
        written = begin(lambda: _WRITES[write](late))
    with pytest.raises(lease.Lost):
        written.result()
    after = Job.objects.get(pk=job.pk)
    assert (after.status, after.max_attempts) == (Status.QUEUED, late.max_attempts)
    assert not JobStep.objects.exists()


_LIMITED: dict[str, Callable[[ApiKey], object]] = {
    "a tenant": lambda key: limits.set_for_tenant(key.tenant, _LIMITS),
    "a key": lambda key: limits.set_for_key(key, _LIMITS),
    "a tenant by its new plan": lambda key: limits.set_plan(key.tenant, "new"),
    "all that have a plan": lambda _: limits.put_plan("old", _LIMITS),
}


@pytest.fixture
def key() -> ApiKey:
    PlanFactory.create(name="new", limits=_LIMITS)
    plan = PlanFactory.create(name="old")
    return ApiKeyFactory.create(tenant__plan=plan)


def _submit(key: ApiKey) -> None:
    """The part of a submission that quotas are about."""
    with transaction.atomic():
        job = JobFactory.create(tenant=key.tenant, api_key=key, row_bytes=1000)
        reservations.reserve_job(
            reservations.Begun(
                tenant_id=key.tenant_id,
                api_key_id=key.pk,
                submitted_at=job.created_at,
                cpu_ms=job.reserved_cpu_ms,
                row_bytes=job.row_bytes,
            )
        )


@pytest.mark.parametrize("limited", _LIMITED)
def test_a_new_limit_counts_the_job_that_is_being_submitted(
    limited: str, key: ApiKey, begin: Begin
) -> None:
    with transaction.atomic():
        _submit(key)
        limit = begin(lambda: _LIMITED[limited](key))
    limit.result()
    assert recount.of_tenant(key.tenant_id, mend=False) == []


@pytest.mark.parametrize("limited", _LIMITED)
def test_a_job_is_counted_by_the_limit_that_is_being_set(
    limited: str, key: ApiKey, begin: Begin
) -> None:
    with transaction.atomic():
        _LIMITED[limited](key)
        submitted = begin(lambda: _submit(key))
    submitted.result()
    assert recount.of_tenant(key.tenant_id, mend=False) == []


def test_a_recount_sees_all_of_a_submission_or_nothing(key: ApiKey, begin: Begin) -> None:
    limits.set_for_tenant(key.tenant, _LIMITS)
    submitted: list[Future[object]] = []

    def submit_before_the_counters_are_read(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith('SELECT "accounts_quotacounter"') and not submitted:
            submitted.append(begin(lambda: _submit(key)))
        return execute(sql, *rest)

    with connection.execute_wrapper(submit_before_the_counters_are_read):
        assert recount.of_tenant(key.tenant_id, mend=True) == []
    [done] = submitted
    done.result()
    assert recount.of_tenant(key.tenant_id, mend=False) == []
