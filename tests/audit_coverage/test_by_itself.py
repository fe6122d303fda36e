"""What the installation does by itself is in the audit log too, done by nobody."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import AuditRecord, Tenant
from ffapi_site.lib import netguard
from media_jobs.engine import lanes, lease, lost_workers, states
from media_jobs.events import webhooks
from media_jobs.maintenance import sweep
from media_jobs.models import Job, Status, WebhookDelivery
from media_jobs.planning import placement
from storage import retention
from storage.models import File
from tests.factories import (
    FileFactory,
    JobAttemptFactory,
    JobFactory,
    TenantFactory,
    WebhookDeliveryFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


def told() -> list[tuple[str, str, str, str | None]]:
    rows = AuditRecord.objects.order_by("id")
    assert {row.actor_type for row in rows} <= {"system"}
    return [(row.event_type, row.outcome, row.resource_id, row.tenant_id) for row in rows]


def test_it_works(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, running=True, slot="host-cpu-1")
    states.end(job, Status.COMPLETED, "every output is verified")
    assert told() == [("job.ended", "success", job.pk, tenant.pk)]
    details = AuditRecord.objects.get().details
    assert details == {
        "status": "completed",
        "attempt": 1,
        "slot": "host-cpu-1",
        "reason": "every output is verified",
    }


def test_a_failure_is_one(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, running=True)
    states.end(job, Status.FAILED, "decode_failed")
    assert told() == [("job.ended", "failure", job.pk, tenant.pk)]


def test_a_lost_attempt_tells_nothing(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, running=True)
    Job.objects.filter(pk=job.pk).update(attempt=2)
    with pytest.raises(lease.Lost):
        states.end(job, Status.COMPLETED, "too late")
    assert told() == []


def test_a_silent_slot_s_job_is_given_back(tenant: Tenant) -> None:
    past = timezone.now() - timedelta(minutes=5)
    job = JobFactory.create(tenant=tenant, running=True, lease_until=past)
    sweep.reap()
    assert told() == [("job.given_back", "success", job.pk, tenant.pk)]


def test_poison_is_quarantined(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, running=True, slot="s", attempt=9)
    died = {"slot": "s", "outcome": states.WORKER_DIED}
    JobAttemptFactory.create_batch(settings.POISON_AFTER_DEATHS, job=job, **died)
    lost_workers.report("s", states.WORKER_DIED, since=timezone.now())
    assert told() == [("job.quarantined", "failure", job.pk, tenant.pk)]


def test_a_stranded_job_changes_its_lane(tenant: Tenant) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    job = JobFactory.create(tenant=tenant, lane="gpu")
    Job.objects.filter(pk=job.pk).update(run_at=long_ago)
    assert placement.move_stranded() == 1
    assert told() == [("job.moved", "success", job.pk, tenant.pk)]


def test_a_file_past_its_time_expires(tenant: Tenant) -> None:
    file = FileFactory.create(tenant=tenant)
    File.objects.filter(pk=file.pk).update(expires_at=timezone.now() - timedelta(days=1))
    retention.sweep()
    assert told() == [("file.expired", "success", file.pk, tenant.pk)]


def test_what_nobody_saw_goes_without_a_word(tenant: Tenant) -> None:
    file = FileFactory.create(tenant=tenant)
    past = timezone.now() - timedelta(days=9)
    File.objects.filter(pk=file.pk).update(published_at=None, expires_at=past)
    retention.sweep()
    assert told() == []


@pytest.fixture
def delivery(tenant: Tenant) -> WebhookDelivery:
    return WebhookDeliveryFactory.create(job__tenant=tenant)


def _sent(delivery: WebhookDelivery, status: int) -> None:
    with patch.object(netguard, "post", return_value=netguard.Answer(status, b"")):
        webhooks.deliver(delivery)


def test_a_webhook_is_told_when_it_was_taken(delivery: WebhookDelivery) -> None:
    _sent(delivery, 200)
    assert told() == [("webhook.delivered", "success", delivery.pk, delivery.tenant_id)]


def test_a_webhook_is_told_when_it_is_given_up(delivery: WebhookDelivery) -> None:
    _sent(delivery, 500)
    assert told() == []
    delivery.created_at = timezone.now() - timedelta(days=4)
    _sent(delivery, 500)
    assert told() == [("webhook.failed", "failure", delivery.pk, delivery.tenant_id)]


def test_lanes_are_the_installation_s_own() -> None:
    lanes.pause("cpu", "upgrade")
    lanes.resume("cpu")
    assert lanes.resume("cpu") is False
    lanes.drain("cpu", "")
    events = ["lane.paused", "lane.resumed", "lane.drained"]
    assert told() == [(event, "success", "cpu", None) for event in events]
