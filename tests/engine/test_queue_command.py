from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from media_jobs.engine import states, wakeups
from media_jobs.management.commands import queue as command
from media_jobs.models import Job, PausedLane, Status
from tests.engine.claiming import claim
from tests.factories import JobFactory, SlotFactory

pytestmark = pytest.mark.django_db


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("queue", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def busy() -> Job:
    """The job on the one slot; another one has been due for a minute."""
    SlotFactory.create(name="slot-1", host="host")
    job = JobFactory.create(run_at=timezone.now() - timedelta(minutes=2))
    JobFactory.create(run_at=timezone.now() - timedelta(minutes=1))
    claimed = claim("slot-1")
    assert claimed == job
    return claimed


def test_it_works(busy: Job) -> None:
    facts: dict[str, Any] = json.loads(told("status", "--json"))
    [cpu] = facts["lanes"]
    assert (cpu["name"], cpu["slots"], cpu["running"], cpu["queued"]) == ("cpu", 1, 1, 1)
    assert 59 <= cpu["oldest_wait_s"] <= 65
    assert cpu["paused"] is None
    [slot] = facts["slots"]
    assert (slot["name"], slot["job"]) == ("slot-1", busy.id)
    assert slot["heartbeat_s"] < 10
    assert facts["dead"] == 0


def test_people_get_a_table(busy: Job) -> None:
    lines = told("status").splitlines()
    assert lines[0].split() == ["name", "slots", "running", "queued", "oldest_wait_s", "paused"]
    assert lines[1].split()[:4] == ["cpu", "1", "1", "1"]
    assert lines[-1] == "dead letters: 0"


def test_a_paused_lane_takes_nothing_and_says_why(busy: Job) -> None:
    assert told("pause", "--lane", "cpu", "--reason", "a new disk") == "cpu: paused; 1 running\n"
    assert claim("slot-2") is None
    assert "a new disk" in told("status")
    assert Job.objects.get(pk=busy.pk).status == Status.RUNNING


def test_a_resumed_lane_is_woken_at_once(busy: Job) -> None:
    told("pause")
    assert wakeups.waiting_tokens("cpu") == 0
    assert told("resume") == "cpu: resumed\n"
    assert wakeups.waiting_tokens("cpu") == 1
    assert claim("slot-2") is not None
    assert told("resume") == "cpu: was not paused\n"


def test_an_unknown_lane_is_refused() -> None:
    with pytest.raises(CommandError, match="--lane: there is no gup; there are: cpu"):
        told("pause", "--lane", "gup")
    assert not PausedLane.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_drain_waits_for_what_runs(busy: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_LOOKS_EVERY_S", 0.02)

    def end() -> None:
        states.end(busy, Status.COMPLETED, "done")
        connection.close()

    later = threading.Timer(0.3, end)
    later.start()
    lines = told("drain", "--timeout", "20").splitlines()
    assert lines[:2] == ["cpu: paused; 1 running", "waiting for 1"]
    later.join()
    assert Job.objects.get(pk=busy.pk).status == Status.COMPLETED
    assert claim("slot-1") is None


def test_a_drain_that_takes_too_long_says_so(busy: Job) -> None:
    with pytest.raises(CommandError, match="1 still running"):
        told("drain", "--timeout", "0.01")
    assert PausedLane.objects.exists()


def test_dead_letters_are_listed_and_requeued(transcode: Callable[..., Job]) -> None:
    job = transcode()
    Job.objects.filter(pk=job.pk).update(
        status=Status.FAILED, finished_at=timezone.now(), quarantined_at=timezone.now()
    )
    [row] = json.loads(told("dead", "--json"))
    assert (row["id"], row["operation"]) == (job.id, "transcode")
    assert job.id in told("dead")
    assert told("requeue", job.id).startswith(f"{job.id}: requeued as job_")
    assert Job.objects.filter(status=Status.QUEUED).count() == 1
    with pytest.raises(CommandError, match="2 of 2 could not be requeued"):
        told("requeue", job.id, "job_nobody_knows")
