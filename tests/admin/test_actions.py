from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, AuditRecord, Tenant
from media_jobs.events import webhooks
from media_jobs.models import Job
from storage.models import File
from tests.admin.conftest import REASON, act
from tests.factories import ApiKeyFactory, FileFactory, JobFactory, WebhookDeliveryFactory
from tests.harness.cast import Cast


def told(event: str) -> list[AuditRecord]:
    return list(AuditRecord.objects.filter(event_type=event))


def test_it_works(root: Client, cast: Cast) -> None:
    waiting = JobFactory.create(tenant=cast.tenant)
    ended = JobFactory.create(tenant=cast.tenant, completed=True)
    content = act(root, "media_jobs_job", "cancel", waiting.pk, ended.pk)
    assert "1 canceled." in content
    assert f"{ended.pk}: the job has already completed" in content
    assert Job.objects.get(pk=waiting.pk).status == "canceled"
    [record] = told("job.canceled")
    assert (record.tenant_id, record.actor_type) == (cast.tenant.pk, "staff")
    assert record.details["reason"] == REASON


def test_nothing_happens_before_it_is_confirmed(root: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    form = {"action": "cancel", "_selected_action": [job.pk]}
    asked = root.post(reverse("admin:media_jobs_job_changelist"), form)
    page = asked.content.decode()
    assert "Cancel the chosen jobs" in page
    assert job.pk in page
    assert "studio" in page
    assert Job.objects.get(pk=job.pk).status == "queued"


def test_a_reason_is_needed(root: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    assert "This field is required" in act(root, "media_jobs_job", "cancel", job.pk, reason=" ")
    assert Job.objects.get(pk=job.pk).status == "queued"
    assert not AuditRecord.objects.exists()


def test_a_batch_is_one_record_for_each(root: Client, cast: Cast) -> None:
    jobs = JobFactory.create_batch(3, tenant=cast.tenant)
    act(root, "media_jobs_job", "cancel", *(job.pk for job in jobs))
    records = told("job.canceled")
    assert sorted(record.resource_id for record in records) == sorted(job.pk for job in jobs)
    assert len({record.request_id for record in records}) == 1


def test_it_runs_jobs_again(root: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant, failed=True)
    assert "1 submitted again." in act(root, "media_jobs_job", "retry", job.pk)
    assert Job.objects.filter(status="queued").count() == 1


def test_it_deletes_ended_jobs_with_their_files(root: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant, completed=True)
    running = JobFactory.create(tenant=cast.tenant, running=True)
    assert "1 deleted." in act(root, "media_jobs_job", "remove", job.pk, running.pk)
    assert Job.objects.get() == running


def test_it_requeues_dead_letters(root: Client, cast: Cast) -> None:
    dead = JobFactory.create(tenant=cast.tenant, failed=True, quarantined_at=timezone.now())
    other = JobFactory.create(tenant=cast.tenant, failed=True)
    listed = root.get(reverse("admin:media_jobs_deadletter_changelist")).content.decode()
    assert dead.pk in listed
    assert other.pk not in listed
    assert "1 requeued." in act(root, "media_jobs_deadletter", "requeue", dead.pk)
    assert not Job.objects.quarantined().exists()


def test_it_revokes_keys_once(root: Client, cast: Cast) -> None:
    key = ApiKeyFactory.create(tenant=cast.tenant)
    assert "1 revoked" in act(root, "accounts_apikey", "revoke", key.pk)
    assert ApiKey.objects.get(pk=key.pk).revoked_at
    assert "it is revoked already" in act(root, "accounts_apikey", "revoke", key.pk)
    assert len(told("api_key.revoked")) == 1


def test_it_deletes_files(root: Client, cast: Cast) -> None:
    file = FileFactory.create(tenant=cast.tenant)
    assert "1 deleted." in act(root, "storage_file", "remove", file.pk)
    assert not File.objects.exists()


def test_it_sends_webhooks_again(root: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant, failed=True)
    sent = WebhookDeliveryFactory.create(job=job, next_attempt_at=None)
    act(root, "media_jobs_webhookdelivery", "redeliver", sent.pk)
    assert webhooks.claim() == sent


def test_it_suspends_and_resumes(root: Client, cast: Cast) -> None:
    act(root, "accounts_tenant", "suspend", cast.tenant.pk)
    assert not Tenant.objects.get(pk=cast.tenant.pk).is_active
    assert "it is suspended already" in act(root, "accounts_tenant", "suspend", cast.tenant.pk)
    act(root, "accounts_tenant", "resume", cast.tenant.pk)
    assert Tenant.objects.get(pk=cast.tenant.pk).is_active


def test_it_holds_and_releases(root: Client, cast: Cast) -> None:
    act(root, "accounts_tenant", "hold", cast.tenant.pk)
    assert Tenant.objects.get(pk=cast.tenant.pk).quota_suspended_for == REASON
    act(root, "accounts_tenant", "release", cast.tenant.pk)
    assert not Tenant.objects.get(pk=cast.tenant.pk).quota_suspended_at


def test_a_row_s_page_leads_to_the_same_question(root: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    page = root.get(reverse("admin:media_jobs_job_change", args=[job.pk])).content.decode()
    assert '<input type="hidden" name="action" value="cancel">' in page


@pytest.mark.parametrize("model", ["media_jobs_job", "storage_file", "accounts_tenant"])
def test_nothing_is_deleted_by_the_admin_s_own_way(root: Client, cast: Cast, model: str) -> None:
    rows = {
        "media_jobs_job": JobFactory.create(tenant=cast.tenant),
        "storage_file": FileFactory.create(tenant=cast.tenant),
        "accounts_tenant": cast.tenant,
    }
    response = root.post(reverse(f"admin:{model}_delete", args=[rows[model].pk]), {"post": "yes"})
    assert response.status_code == 403


def test_staff_without_the_right_can_t_act(cast: Cast, staff: Client) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    url = reverse("admin:media_jobs_job_changelist")
    response = staff.post(url, {"action": "cancel", "_selected_action": [job.pk]})
    assert response.status_code == 403
    assert Job.objects.get(pk=job.pk).status == "queued"
