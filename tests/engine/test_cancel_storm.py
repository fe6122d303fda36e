"""R16: everything is canceled, three times over, while it is being worked on."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import psutil
import pytest
from django.db import connection

from accounts.models import Tenant
from ffapi_site.lib.problems import Conflict
from media_jobs.engine import jobs
from media_jobs.models import Job, JobEvent, Status
from media_jobs.models.job import FINAL
from media_jobs.slot import tasks
from storage.models import File
from tests.factories import JobFactory
from tests.harness.programs import is_one
from tests.harness.server import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

QUEUED = int(os.environ.get("CANCEL_JOBS", "200"))
RUNNING = 4
TIMES = 3
ASKING = 8


def ffmpegs() -> list[psutil.Process]:
    below = psutil.Process().children(recursive=True)
    return [each for each in below if is_one(each.name())]


@pytest.fixture
def running(
    tenant: Tenant, stored: Callable[[str], File], monkeypatch: pytest.MonkeyPatch
) -> list[threading.Thread]:
    """Four jobs that would encode for long, each on a slot."""
    monkeypatch.setenv("FFAPI_SLOT", "slot-of-the-test")
    params = {"input": stored("film").id, "resolution": "4K", "preset": "quality"}
    for _ in range(RUNNING):
        jobs.submit(tenant, jobs.Submission("transcode", params))
    slots = [threading.Thread(target=_work) for _ in range(RUNNING)]
    for slot in slots:
        slot.start()
    assert eventually(lambda: len(ffmpegs()) == RUNNING, within_s=30)
    return slots


def _work() -> None:
    tasks.work("cpu")
    connection.close()


def _cancel_each(share: list[Job]) -> list[str]:
    try:
        return [_cancel(job) for job in share]
    finally:
        connection.close()


def _cancel(job: Job) -> str:
    try:
        return jobs.cancel(job).status
    except Conflict:
        return "conflict"


def test_it_works(tenant: Tenant, running: list[threading.Thread]) -> None:
    JobFactory.create_batch(QUEUED, tenant=tenant)
    # Those that run are asked at once, so that their five seconds are not the others' queue; and
    # what is asked for the same job is asked at the same time.
    everything = sorted(
        list(Job.objects.all()) * TIMES, key=lambda job: (job.status, job.pk), reverse=True
    )
    began = time.monotonic()
    with ThreadPoolExecutor(ASKING) as storm:
        shares = [everything[number::ASKING] for number in range(ASKING)]
        answers = list(chain.from_iterable(storm.map(_cancel_each, shares)))
    for slot in running:
        slot.join(30)
    assert ffmpegs() == []
    assert time.monotonic() - began < 120
    assert Counter(Job.objects.values_list("status", flat=True)) == {"canceled": QUEUED + RUNNING}
    ends = JobEvent.objects.filter(to_status__in=FINAL).values_list("job_id", flat=True)
    assert max(Counter(ends).values()) == 1
    assert len(ends) == QUEUED + RUNNING
    assert set(answers) <= {Status.CANCELED, Status.RUNNING}
    assert not File.objects.filter(origin="job").exists()


def test_those_that_run_end_within_five_seconds(running: list[threading.Thread]) -> None:
    began = time.monotonic()
    for job in list(Job.objects.filter(status=Status.RUNNING)) * TIMES:
        jobs.cancel(job)
    assert eventually(lambda: ffmpegs() == [], within_s=5)
    for slot in running:
        slot.join(5)
    assert time.monotonic() - began < 6
    assert set(Job.objects.values_list("status", flat=True)) == {Status.CANCELED}
