"""Two verbs on the same rows at once wait for each other, and never in a circle."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import keys
from accounts.audit_events import AuditEvent
from accounts.keys import last_used
from accounts.keys.authority import Authority
from accounts.models import ApiKey, Tenant
from accounts.quotas import limits, suspension
from accounts.quotas.catalogue import JOBS_PER_DAY, QUOTAS
from accounts.quotas.errors import QuotaExceeded
from accounts.quotas.status import Standing
from ffapi_site.lib.problems import Problem
from media_jobs.engine import job_retention, jobs
from media_jobs.events import webhooks
from media_jobs.events.webhooks import sender
from media_jobs.models import Job, JobInput, WebhookDelivery
from media_jobs.models.job import Lane
from media_jobs.operations import core
from media_jobs.planning.plan import Planned, PlannedInput
from media_jobs.planning.resource_estimate import Weight
from storage import store
from storage.models import File
from tests.factories import (
    ApiKeyFactory,
    FileFactory,
    JobFactory,
    JobOutputFactory,
    TenantFactory,
    WebhookDeliveryFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
_ROUNDS = int(os.environ.get("LOCK_ROUNDS", "10"))
_ASKED = core.parse("transcode", {"input": "https://example.org/a.mp4"})
_BY = Authority(frozenset("*"), None)
_NO_INPUTS = Planned(_ASKED, (), Lane.CPU, Weight(1, 1, 1))
Verb = Callable[[], object]
AtOnce = Callable[..., None]
_MOST_AT_ONCE = 3


def _with_pauses(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
    """As on a machine that has more to do: what is between two statements takes a while."""
    try:
        return execute(sql, params, many, context)
    finally:
        time.sleep(random.uniform(0, 0.004))  # noqa: S311 -- no secret


@pytest.fixture
def at_once() -> Iterator[AtOnce]:
    """Do all at the same time; raises what the database says, not what the verbs refuse.

    By the same threads each time, so that a round waits for no new connection.
    """
    with ExitStack() as stack:
        threads = [stack.enter_context(ThreadPoolExecutor(1)) for _ in range(_MOST_AT_ONCE)]

        def do(*verbs: Verb) -> None:
            ready = Barrier(len(verbs))
            # One thread for each verb: they wait for one another.
            begun = [
                thread.submit(_do, verb, ready)
                for thread, verb in zip(threads, verbs, strict=False)
            ]
            for done in begun:
                done.result()

        yield do
        for thread in threads:
            thread.submit(_leave).result()


def _leave() -> None:
    connection.close()  # of the thread that calls this


def _do(verb: Verb, ready: Barrier) -> None:
    with connection.execute_wrapper(_with_pauses):
        ready.wait()
        with suppress(Problem, store.Gone):
            verb()


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


def made(tenant: Tenant, number: int = 1) -> tuple[Job, list[File]]:
    """An ended job with outputs."""
    job = JobFactory.create(tenant=tenant, completed=True)
    files = [FileFactory.create(tenant=tenant) for _ in range(number)]
    for file in files:
        JobOutputFactory.create(job=job, file=file)
    return job, files


def test_a_job_and_its_output_are_deleted(tenant: Tenant, at_once: AtOnce) -> None:
    for _ in range(_ROUNDS):
        job, [file] = made(tenant)
        at_once(lambda: jobs.delete(job), lambda: store.remove(file))  # noqa: B023
        assert not Job.objects.exists()
        assert not File.objects.exists()


def test_a_job_its_output_and_what_is_kept_too_long_are_deleted(
    tenant: Tenant, at_once: AtOnce
) -> None:
    for _ in range(_ROUNDS):
        job, [file] = made(tenant)

        def forget() -> None:
            with transaction.atomic():
                job_retention.forget(job, AuditEvent.JOB_EXPIRED, {})  # noqa: B023

        at_once(lambda: jobs.delete(job), forget, lambda: store.remove(file))  # noqa: B023
        assert not Job.objects.exists()


def test_two_submit_with_the_same_files_in_another_order(tenant: Tenant, at_once: AtOnce) -> None:
    a, b = (FileFactory.create(tenant=tenant) for _ in range(2))
    for _ in range(_ROUNDS):
        at_once(lambda: _submit(tenant, [a, b]), lambda: _submit(tenant, [b, a]))
    roles = JobInput.objects.order_by("job", "id").values_list("role", flat=True)
    assert list(roles) == ["0", "1"] * 2 * _ROUNDS


def test_a_job_is_deleted_while_its_outputs_are_submitted(tenant: Tenant, at_once: AtOnce) -> None:
    for _ in range(_ROUNDS):
        job, [a, b] = made(tenant, 2)
        at_once(lambda: jobs.delete(job), lambda: _submit(tenant, [b, a]))  # noqa: B023
        kept = File.objects.count()
        assert kept in {0, 2}
        assert JobInput.objects.count() == kept
        Job.objects.all().delete()
        File.objects.all().delete()


def _submit(tenant: Tenant, files: list[File]) -> None:
    """The part of a submission that writes; what is asked of the media is no matter here."""
    with transaction.atomic():
        job = JobFactory.create(tenant=tenant)
        inputs = tuple(PlannedInput(str(role), "", file) for role, file in enumerate(files))
        jobs._give(job, replace(_NO_INPUTS, inputs=inputs))


def test_an_event_is_sent_anew_while_it_is_claimed_and_a_late_answer_comes(
    tenant: Tenant, at_once: AtOnce
) -> None:
    for _ in range(_ROUNDS):
        event = WebhookDeliveryFactory.create(of_quota=True, tenant=tenant)
        assert webhooks.claim() is not None
        # The claim has run out: whoever had it in hand answers late.
        WebhookDelivery.objects.update(claimed_until=Now(), next_attempt_at=Now())
        refused = sender._Outcome(status=500)
        at_once(
            lambda: sender._record(event, refused),  # noqa: B023
            webhooks.claim,
            lambda: webhooks.redeliver(event),  # noqa: B023
        )
        WebhookDelivery.objects.all().delete()


def test_a_key_is_changed_by_two_and_rotated(tenant: Tenant, at_once: AtOnce) -> None:
    for number in range(_ROUNDS):
        key = ApiKeyFactory.create(tenant=tenant)
        limits.set_for_key(key, {"max_jobs_per_day": 5})
        first, second, third = (ApiKey.objects.get(pk=key.pk) for _ in range(3))
        at_once(
            lambda: keys.change(first, {"name": f"n{number}", "quota": {}}, _BY),  # noqa: B023
            lambda: keys.change(second, {"quota": {"max_jobs_per_day": 6}}, _BY),  # noqa: B023
            lambda: keys.rotate(third, 60, _BY),  # noqa: B023
        )


_RECORDED: dict[str, Callable[[ApiKey, int], object]] = {
    "renamed": lambda key, number: keys.change(key, {"name": f"n{number}"}, _BY),
    "revoked": lambda key, _: keys.revoke(key),
    "used from elsewhere": lambda key, number: last_used.note(key, f"192.0.{number}.1"),
}


@pytest.mark.parametrize("verb", _RECORDED)
def test_a_key_is_rotated_and_given_a_quota_while_it_is(
    verb: str, tenant: Tenant, at_once: AtOnce
) -> None:
    """The record of that refers to the tenant, which is held whole meanwhile."""
    for number in range(_ROUNDS):
        key = ApiKeyFactory.create(tenant=tenant)
        first, second, third = (ApiKey.objects.get(pk=key.pk) for _ in range(3))
        at_once(
            lambda: _RECORDED[verb](first, number),  # noqa: B023
            lambda: keys.rotate(second, 60, _BY),  # noqa: B023
            lambda: limits.set_for_key(third, {"max_jobs_per_day": 6}),  # noqa: B023
        )


def test_a_tenant_gets_limits_whose_new_plan_is_changed(tenant: Tenant, at_once: AtOnce) -> None:
    limits.put_plan("new", {"max_jobs_per_day": 5})
    for number in range(_ROUNDS):
        limits.set_plan(tenant, None)
        as_it_was = Tenant.objects.get(pk=tenant.pk)
        limits.set_plan(tenant, "new")
        at_once(
            lambda: limits.set_for_tenant(as_it_was, {"max_jobs_per_hour": 7}),  # noqa: B023
            lambda: limits.put_plan("new", {"max_jobs_per_day": number}),  # noqa: B023
        )
        tenant.refresh_from_db()
        assert tenant.limits == {"max_jobs_per_hour": 7, "max_jobs_per_day": number}


def test_a_suspension_is_lifted_while_refusals_are_counted(tenant: Tenant, at_once: AtOnce) -> None:
    limits.put_plan("strict", {"max_jobs_per_day": 1}, suspend_after_violations=1)
    limits.set_plan(tenant, "strict")
    standing = Standing(tenant.pk, QUOTAS[JOBS_PER_DAY], 1, 1, 0, timezone.now())
    refused = QuotaExceeded(tenant.pk, standing, timezone.now())
    for _ in range(_ROUNDS):
        at_once(
            lambda: suspension.note_violation(refused),
            lambda: suspension.note_violation(refused),
            lambda: suspension.lift(tenant),
        )
