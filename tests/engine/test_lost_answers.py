"""R26: a COMMIT whose answer was lost: what came of it is asked for, never guessed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from media_jobs.engine import jobs, states
from media_jobs.maintenance import sweep
from media_jobs.models import Job, Status, WebhookDelivery
from media_jobs.slot import tasks
from media_jobs.worker import attempt, outputs
from storage import retention, store
from storage.models import File
from tests.engine.claiming import claim
from tests.harness import proxy

pytestmark = pytest.mark.django_db(transaction=True)

Stored = Callable[[str], File]
_ATTEMPTS = 6


@pytest.fixture
def wire() -> Iterator[proxy.Proxy]:
    with proxy.between() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _slot(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("FFAPI_SLOT", "slot-1")
    settings.JOB_RETRY_DELAY = 0


def measured(tenant: Tenant, stored: Stored) -> Job:
    """A job of two commands, of which the first one's answer is kept."""
    params = {"input": stored("film").id, "target_lufs": -20}
    hook = "https://example.org/hook"
    asked = jobs.Submission("audio/normalize", params, webhook_url=hook)
    return jobs.submit(tenant, asked)


def done(job: Job) -> Job:
    """Work, and let leases run out, until the job has ended."""
    for _ in range(_ATTEMPTS):
        try:
            tasks.work(job.lane)
        except DatabaseError:  # django-q2 logs it, and the lease runs out
            connection.close()
        now = Job.objects.get(pk=job.pk)
        if now.is_final:
            return now
        past = timezone.now() - timedelta(seconds=1)
        Job.objects.filter(pk=job.pk, status=Status.RUNNING).update(lease_until=past)
        sweep.reap()
    pytest.fail("it has not ended")


def check_whole(job: Job) -> None:
    """It is completed, once, with its output and one event, and nothing is left beside."""
    assert job.status == Status.COMPLETED, job.error
    file = job.outputs.get().file
    with store.open_content(file) as content:
        assert hashlib.sha256(content.read()).hexdigest() == file.sha256
    assert job.events.filter(to_status="completed").count() == 1
    assert WebhookDelivery.objects.filter(job=job).count() == 1
    File.objects.filter(published_at=None).update(created_at=timezone.now() - timedelta(days=2))
    retention.sweep()
    assert File.objects.filter(origin="job").get() == file


def test_each_commit_of_an_attempt(tenant: Tenant, stored: Stored, wire: proxy.Proxy) -> None:
    cut_at = 0
    for number in range(1, 50):
        File.objects.filter(origin="job").delete()
        job = measured(tenant, stored)
        wire.count, wire.has_cut = number, False
        ended = done(job)
        if not wire.has_cut:
            break
        cut_at = number
        check_whole(ended)
    assert cut_at >= 3  # the kept answer, the output's row, the end


def test_the_end_is_known_at_once(
    tenant: Tenant, stored: Stored, wire: proxy.Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only after another attempt: the worker itself finds out."""
    job, publish, cuts = measured(tenant, stored), outputs.Outputs.publish, [1]

    def watched(made: outputs.Outputs, of: Job) -> None:
        publish(made, of)
        wire.count = cuts.pop() if cuts else 0

    monkeypatch.setattr(outputs.Outputs, "publish", watched)
    tasks.work(job.lane)
    assert wire.has_cut
    ended = Job.objects.get(pk=job.pk)
    assert (ended.status, ended.attempt) == (Status.COMPLETED, 1)
    check_whole(ended)


@pytest.mark.parametrize("write", [b"ffapi_claim_job", b"WITH beat"])
def test_what_is_written_without_a_transaction(
    write: bytes, tenant: Tenant, stored: Stored, wire: proxy.Proxy
) -> None:
    job = measured(tenant, stored)
    wire.word, wire.count = write, 1
    ended = done(job)
    assert wire.has_cut
    check_whole(ended)


def test_what_was_given_back_is_given_back_once(
    tenant: Tenant, stored: Stored, wire: proxy.Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(28, "full")

    job = measured(tenant, stored)
    monkeypatch.setattr(attempt, "_work", broken)
    wire.count = 1
    tasks.work(job.lane)
    assert wire.has_cut
    monkeypatch.undo()
    assert list(job.events.values_list("to_status", flat=True)) == ["queued", "running", "queued"]
    assert job.attempts.get().outcome == "given back"


def test_a_submission(tenant: Tenant, stored: Stored, wire: proxy.Proxy) -> None:
    """Who asked knows no more than that it may have been taken; what there is of it is whole."""
    file = stored("film")
    wire.count = 1
    with pytest.raises(DatabaseError):
        jobs.submit(tenant, jobs.Submission("audio/normalize", {"input": file.id}))
    connection.close()
    [job] = Job.objects.all()
    assert job.inputs.get().file == file
    assert done(job).status == Status.COMPLETED


def test_what_is_visible_is_never_discarded(stored: Stored) -> None:
    file = stored("film")
    assert store.discard(file) is False
    assert File.objects.published().get() == file


def test_what_may_just_be_becoming_visible_is_left(
    tenant: Tenant, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A COMMIT that is still on its way holds the row."""
    monkeypatch.setattr(store, "_IN_DOUBT_MS", 200)
    file = stored("film")
    File.objects.filter(pk=file.pk).update(published_at=None)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE storage_file SET published_at = now() WHERE id = %s", [file.pk])
            with pytest.raises(DatabaseError, match="lock timeout"):
                store.discard(file)
            cursor.execute("COMMIT")
    finally:
        other.close()
    assert store.discard(file) is False
    with store.open_content(file) as content:
        assert content.read(1)


def test_another_s_end_is_no_end_of_ours(tenant: Tenant, stored: Stored) -> None:
    job = measured(tenant, stored)
    lost = claim("slot-1")
    assert lost is not None
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep.reap()
    assert not states.ended_itself(lost)
