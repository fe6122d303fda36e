"""R26: the end of an attempt is tried again for a while, and by no refusal for ever."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from media_jobs.engine import lease, states
from media_jobs.models import Job, Status
from media_jobs.worker import attempt, end_transaction
from media_jobs.worker.heartbeat import Heartbeat
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _same_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's transaction is to outlive the failures."""
    monkeypatch.setattr("media_jobs.worker.end_transaction.connection.close", lambda: None)
    monkeypatch.setattr("media_jobs.worker.heartbeat._AWAY_S", 0)


@pytest.fixture
def job() -> Job:
    return JobFactory.create(running=True)


def refuse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)")


def test_what_the_database_refuses_again_and_again_is_told(job: Job) -> None:
    """Though the lease is renewed all the while: the database is there."""
    tries: list[Exception] = []
    with pytest.raises(OperationalError, match="statement timeout"):
        end_transaction.commit(job, refuse, on_outage=tries.append)
    assert len(tries) == 4


def test_a_refusal_that_passes_is_borne(job: Job) -> None:
    refusals = [refuse, refuse]

    def write() -> None:
        if refusals:
            refusals.pop()()
        states.end(job, Status.COMPLETED, "done")

    end_transaction.commit(job, write, on_outage=Heartbeat(job).wait_for_database)
    job.refresh_from_db()
    assert job.status == Status.COMPLETED


def test_an_end_in_doubt_that_was_somebody_else_s_is_lost(job: Job) -> None:
    """The try came to nothing, and the lease ran out before the next one."""
    refusals = [refuse]

    def write() -> None:
        if refusals:
            refusals.pop()()
        states.end(job, Status.COMPLETED, "done")

    def lose(_: Exception) -> None:
        states.give_back(Job.objects.get(pk=job.pk), "silent", outcome=states.WORKER_LOST)

    with pytest.raises(lease.Lost):
        end_transaction.commit(job, write, on_outage=lose)


def test_what_falls_at_this_very_statement_is_given_up(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost each time, and whoever renews the lease has another one."""
    monkeypatch.setattr(end_transaction, "_LONGEST_S", 0.1)

    def lose() -> None:
        raise OperationalError("the connection is closed")

    with pytest.raises(OperationalError):
        end_transaction.commit(job, lose, on_outage=lambda _: None)


def test_a_result_that_can_t_be_written_is_another_attempt(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses what was made, not that the job is queued again."""
    Job.objects.filter(pk=job.pk).update(max_attempts=3)
    job.refresh_from_db()
    monkeypatch.setattr(
        attempt, "_work", lambda *_: end_transaction.commit(job, refuse, on_outage=lambda _: None)
    )
    attempt.run(job)
    job.refresh_from_db()
    assert job.status == Status.QUEUED
