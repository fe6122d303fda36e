"""R32: the lease is held through what takes long, and by nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import Tenant
from media_jobs.engine import jobs
from media_jobs.maintenance import sweep
from media_jobs.models import Job, Status
from media_jobs.planning import media_limits
from media_jobs.slot import tasks
from storage import store
from storage.backends import local
from storage.models import File
from tests.harness.server import eventually

pytestmark = pytest.mark.django_db(transaction=True)

Stored = Callable[[str], File]
LEASE_S = 1.5
LONG_S = LEASE_S + 0.5


@pytest.fixture(autouse=True)
def _slot(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("FFAPI_SLOT", "slot-1")
    monkeypatch.setattr("media_jobs.worker.heartbeat._EVERY_S", 0.3)
    monkeypatch.setattr("media_jobs.worker.heartbeat._SILENT_S", 0.6)
    monkeypatch.setattr("media_jobs.worker.heartbeat._LOOK_S", 0.2)
    settings.LEASE_SECONDS = LEASE_S


@pytest.fixture
def job(tenant: Tenant, stored: Stored) -> Job:
    params = {"input": stored("film").id, "resolution": "360p", "when_conformant": "encode"}
    return jobs.submit(tenant, jobs.Submission("transcode", params))


def slowed(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, by_s: float) -> None:
    """Have one step of an attempt last longer."""
    real, lock = getattr(module, name), threading.Lock()
    times = [by_s]

    def slow(*given: Any, **named: Any) -> Any:
        with lock:
            pause_s = times.pop() if times else 0.0
        time.sleep(pause_s)
        return real(*given, **named)

    monkeypatch.setattr(module, name, slow)


@contextmanager
def beside(work: Callable[[], object], *, every_s: float = 0.2) -> Iterator[None]:
    """Do ``work`` again and again in another thread."""
    over = threading.Event()

    def loop() -> None:
        while not over.wait(every_s):
            work()
        connection.close()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


LONG_STEPS = [
    (local, "_flush"),
    (store, "_digest_of"),
    (local.LocalDisk, "link"),
    (media_limits, "check_sources"),  # one that says nothing of itself
]


@pytest.mark.parametrize(("module", "name"), LONG_STEPS, ids=[name for _, name in LONG_STEPS])
def test_a_long_step_loses_no_lease(
    module: Any, name: str, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowed(monkeypatch, module, name, LONG_S)
    with beside(sweep.reap):
        tasks.work(job.lane)
    ended = Job.objects.get(pk=job.pk)
    assert (ended.status, ended.attempt) == (Status.COMPLETED, 1), ended.error


def test_a_hang_loses_it(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the thread that holds the lease lives on."""

    def hang(*_: object) -> None:
        assert eventually(lambda: Job.objects.get(pk=job.pk).status == "queued", within_s=60)

    monkeypatch.setattr(media_limits, "check_sources", hang)
    with beside(sweep.reap):
        tasks.work(job.lane)
    ended = Job.objects.get(pk=job.pk)
    assert (ended.status, ended.attempts.get().outcome) == (Status.QUEUED, "worker lost")
    assert not File.objects.filter(origin="job").exists()


def test_a_cancel_does_not_wait_for_a_disk(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    slowed(monkeypatch, local, "_flush", 20.0)
    asked_at: list[float] = []

    def cancel() -> None:
        stored = File.objects.filter(origin="job").exists()
        if stored and not asked_at:
            asked_at.append(time.monotonic())
            jobs.cancel(job)

    with beside(cancel):
        tasks.work(job.lane)
        took_s = time.monotonic() - asked_at[0]
    assert Job.objects.get(pk=job.pk).status == Status.CANCELED
    assert took_s < 5.0
    assert not File.objects.filter(origin="job").exists()


def test_a_disk_that_is_gone_is_not_waited_for(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_PATIENCE_S", 0.5)
    slowed(monkeypatch, local, "_flush", 5.0)
    tasks.work(job.lane)
    waiting = Job.objects.get(pk=job.pk)
    assert (waiting.status, waiting.attempts.get().outcome) == (Status.QUEUED, "given back")
