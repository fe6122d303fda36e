"""R35: the chores of the installation, done by one program at a time."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts import idempotency, rate_limit
from accounts.people import sessions
from accounts.quotas import alerts, reservations
from media_jobs.engine import job_retention, wakeups
from media_jobs.events import webhooks
from media_jobs.events.webhooks import program as webhook_program
from media_jobs.maintenance import program, sweep
from media_jobs.maintenance.named import named
from media_jobs.models import Job, MaintenanceChore, Status
from media_jobs.planning import placement
from storage import retention
from tests.engine.test_housekeeping import silent

pytestmark = pytest.mark.django_db


_ALL = [
    (sweep, "reap"),
    (placement, "move_stranded"),
    (wakeups, "renew"),
    (retention, "sweep"),
    (job_retention, "sweep"),
    (idempotency, "forget_old"),
    (rate_limit, "forget_old"),
    (sessions, "forget_old"),
    (reservations, "forget_old"),
    (webhooks, "forget_old"),
    (alerts, "mail_due"),
    (sweep, "_forget_slots"),
]


class Work:
    """Counts how often it is done; fails while it is told to."""

    def __init__(self) -> None:
        self.done = 0
        self.fails = False

    def __call__(self) -> None:
        self.done += 1
        if self.fails:
            raise RuntimeError("of its own")


@pytest.fixture
def work() -> Work:
    return Work()


def test_it_works(work: Work) -> None:
    named("sweeping", work, every_s=20.0).do()
    kept = MaintenanceChore.objects.get()
    assert (kept.name, kept.every_s, kept.failures, kept.trouble) == ("sweeping", 20.0, 0, "")
    assert kept.succeeded_at is not None
    assert kept.took_s >= 0
    assert work.done == 1


def test_each_is_done_once_in_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, str]] = []
    for module, name in _ALL:
        which = (module.__name__, name)
        monkeypatch.setattr(module, name, lambda *_, which=which: done.append(which))
    for chore in (*sweep.queue_chores(), *sweep.cleaning()):
        chore.do()
    assert sorted(done) == sorted((module.__name__, name) for module, name in _ALL)


def test_what_fails_says_so_until_it_succeeds(work: Work) -> None:
    chore = named("sweeping", work, every_s=20.0)
    chore.do()
    before = MaintenanceChore.objects.get()
    work.fails = True
    chore.do()
    chore.do()
    failing = MaintenanceChore.objects.get()
    assert (failing.failures, failing.trouble) == (2, "RuntimeError")
    assert failing.succeeded_at == before.succeeded_at
    work.fails = False
    chore.do()
    assert MaintenanceChore.objects.get().failures == 0


def test_another_host_does_not_do_it_again(work: Work, settings: Settings) -> None:
    settings.HOST_NAME = "one"
    named("sweeping", work, every_s=20.0).do()
    settings.HOST_NAME = "two"
    named("sweeping", work, every_s=20.0).do()
    assert work.done == 1


def test_another_host_takes_over(work: Work, settings: Settings) -> None:
    settings.HOST_NAME = "one"
    named("sweeping", work, every_s=20.0).do()
    MaintenanceChore.objects.update(began_at=timezone.now() - timedelta(seconds=40))
    settings.HOST_NAME = "two"
    named("sweeping", work, every_s=20.0).do()
    assert work.done == 2
    assert MaintenanceChore.objects.get().host == "two"


def test_two_programs_do_not_do_it_at_once(work: Work) -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, hashtext('sweeping'))", [0x46464150])
        named("sweeping", work, every_s=20.0).do()
        # A server lets go of it only when it sees that the connection was closed.
        cursor.execute("SELECT pg_advisory_unlock_all()")
    other.close()
    assert work.done == 0


def test_one_that_was_not_done_for_long_is_late() -> None:
    now = timezone.now()
    rare = MaintenanceChore(name="rare", every_s=3600.0, began_at=now - timedelta(hours=9))
    often = MaintenanceChore(name="often", every_s=3.0, began_at=now - timedelta(minutes=6))
    assert (rare.is_late(now), often.is_late(now)) == (False, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", [program.run, webhook_program.run], ids=["chores", "webhooks"])
def test_the_programs_end_when_they_are_told_to(run: object) -> None:
    stop, said = threading.Event(), []

    def go_on() -> None:
        said.append(1)
        stop.set()

    run(stop, go_on)  # type: ignore[operator]
    assert said == [1]


@pytest.mark.django_db(transaction=True)
def test_a_dead_slots_job_is_given_to_others_by_it() -> None:
    job = silent()
    stop = threading.Event()

    def until_it_is_queued() -> None:
        if Job.objects.filter(pk=job.pk, status=Status.QUEUED).exists():
            stop.set()

    program.run(stop, until_it_is_queued)
    assert MaintenanceChore.objects.get(pk="reap").trouble == ""
