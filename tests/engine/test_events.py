"""Whatever happens to a job goes through one door; subscribers are told as part of the change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import QuotaAlert, Tenant, UsageEntry
from accounts.quotas import limits
from media_jobs import events
from media_jobs.engine import jobs, states
from media_jobs.events import Event, Subscriber, change_feed
from media_jobs.models import Job, JobAttempt, JobEvent, Status, WebhookDelivery
from tests.engine.claiming import claim

pytestmark = pytest.mark.django_db

_ASKED = jobs.Submission(
    "transcode", {"input": "https://example.org/a.mp4"}, webhook_url="https://example.org/hook"
)
_LIFE: list[tuple[str, Callable[[Tenant], object]]] = [
    ("job.submitted", lambda tenant: jobs.submit(tenant, _ASKED)),
    ("job.running", lambda _: claim()),
    ("job.queued", lambda _: states.give_back(Job.objects.get(), "a test")),
    ("job.running", lambda _: claim()),
    ("job.cancel_requested", lambda _: jobs.cancel(Job.objects.get())),
    ("job.canceled", lambda _: states.end(Job.objects.get(), Status.CANCELED, "a test")),
]
_KINDS = [kind for kind, _ in _LIFE]
Subscribe = Callable[[Callable[[Event], None]], None]


class _BrokenError(Exception):
    pass


@pytest.fixture
def subscribe(monkeypatch: pytest.MonkeyPatch) -> Subscribe:
    """Have one more told, after all others, of whatever happens."""

    def add(receive: Callable[[Event], None]) -> None:
        kinds = frozenset((*_KINDS, "quota.exceeded"))
        told = (*events.subscribers, Subscriber(receive, kinds))
        monkeypatch.setattr(events, "subscribers", told)

    return add


def raise_it(event: Event) -> None:
    raise _BrokenError(event.kind)


def _is_written_by_this_transaction(event: Event) -> bool:
    assert event.job is not None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT xmin = pg_current_xact_id()::xid FROM media_jobs_job WHERE id = %s",
            [event.job.pk],
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_it_works(tenant: Tenant, subscribe: Subscribe) -> None:
    """Each event of a job's life comes once, in the transaction that changes the job."""
    told: list[tuple[str, bool]] = []
    subscribe(lambda event: told.append((event.kind, _is_written_by_this_transaction(event))))
    for _, live in _LIFE:
        live(tenant)
    assert told == [(kind, True) for kind in _KINDS]
    logged = JobEvent.objects.values_list("to_status", flat=True)
    assert list(logged) == ["queued", "running", "queued", "running", "canceled"]
    assert WebhookDelivery.objects.get().event == "job.canceled"


def _all_there_is() -> list[Any]:
    tables = (Job, JobAttempt, JobEvent, WebhookDelivery, UsageEntry, QuotaAlert)
    return [list(table._base_manager.order_by("pk").values()) for table in tables]


@pytest.mark.parametrize("step", range(len(_LIFE)), ids=_KINDS)
def test_one_that_raises_undoes_the_change(tenant: Tenant, subscribe: Subscribe, step: int) -> None:
    for _, live in _LIFE[:step]:
        live(tenant)
    before = _all_there_is()
    subscribe(raise_it)
    kind, change = _LIFE[step]
    with pytest.raises(_BrokenError, match=kind):
        change(tenant)
    assert _all_there_is() == before


@pytest.mark.django_db(transaction=True)
def test_who_waits_is_woken_by_each_change(tenant: Tenant) -> None:
    job = None
    with change_feed.direct_connection() as listener:
        listener.execute(f"LISTEN {change_feed.CHANNEL}")
        for kind, live in _LIFE:
            live(tenant)
            woken = {each.payload for each in listener.notifies(timeout=5, stop_after=1)}
            if job is not None:  # nobody waits for one that was not there
                assert woken == {job.pk}, kind
            job = Job.objects.get()


def test_what_waits_is_canceled_with_what_is_told(tenant: Tenant, subscribe: Subscribe) -> None:
    job = jobs.submit(tenant, _ASKED)
    before = _all_there_is()
    subscribe(raise_it)
    with pytest.raises(_BrokenError, match=r"job\.canceled"):
        jobs.cancel(job)
    assert _all_there_is() == before


def test_an_alert_of_a_quota_is_told_too(tenant: Tenant, subscribe: Subscribe) -> None:
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 1})
    told: list[Event] = []
    subscribe(told.append)
    job = jobs.submit(tenant, _ASKED)
    assert [each.kind for each in told] == ["job.submitted", "quota.exceeded"]
    alert = told[1]
    assert (alert.tenant_id, alert.job, alert.data["quota"]) == (
        *(tenant.pk, None),
        "max_jobs_per_hour",
    )
    assert not WebhookDelivery.objects.exists()  # the tenant named no address
    assert told[0].job == job


@pytest.mark.django_db(transaction=True)
def test_a_claim_of_which_nobody_wants_to_hear_is_one_statement(tenant: Tenant) -> None:
    jobs.submit(tenant, _ASKED)
    with CaptureQueriesContext(connection) as asked:
        assert claim() is not None
    assert len(asked) == 1
