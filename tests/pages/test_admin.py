from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.admin_site import site
from accounts.models import ApiKey
from media_jobs.models import Job
from tests.factories import ApiKeyFactory, FileFactory, JobFactory, UserFactory
from tests.pages.conftest import Cast, signed_in


@pytest.fixture
def root(cast: Cast) -> Client:
    return signed_in(UserFactory.create(is_staff=True, is_superuser=True))


def act(client: Client, model: str, action: str, *rows: str) -> str:
    form = {"action": action, "_selected_action": rows}
    response = client.post(reverse(f"admin:{model}_changelist"), form, follow=True)
    return response.content.decode()


@pytest.mark.parametrize("model", list(site._registry), ids=lambda m: m.__name__)
def test_it_works(root: Client, cast: Cast, model: type) -> None:
    FileFactory.create(tenant=cast.tenant)
    ApiKeyFactory.create(tenant=cast.tenant)
    JobFactory.create(tenant=cast.tenant, failed=True)
    meta = model._meta  # type: ignore[attr-defined]
    name = f"admin:{meta.app_label}_{meta.model_name}"
    assert root.get(reverse(f"{name}_changelist"), {"q": "x"}).status_code == 200
    for row in model.objects.all()[:1]:  # type: ignore[attr-defined]
        assert root.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200


def test_members_are_sent_to_its_own_sign_in(alice: Client) -> None:
    assert alice.get("/admin/")["Location"].startswith("/admin/login/")


def test_its_policy_is_looser_only_where_the_theme_needs_it(root: Client) -> None:
    policy = root.get("/admin/")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "default-src 'self'" in policy
    assert "unsafe" not in root.get("/login")["Content-Security-Policy"]


def test_no_secret_is_shown(root: Client, cast: Cast) -> None:
    key = ApiKeyFactory.create(tenant=cast.tenant)
    content = root.get(reverse("admin:accounts_apikey_change", args=[key.pk])).content.decode()
    assert key.name in content
    assert key.secret_digest not in content
    tenant = root.get(reverse("admin:accounts_tenant_change", args=[cast.tenant.pk]))
    assert cast.tenant.webhook_secret not in tenant.content.decode()


def test_it_revokes_keys(root: Client, cast: Cast) -> None:
    key = ApiKeyFactory.create(tenant=cast.tenant)
    assert "1 revoked" in act(root, "accounts_apikey", "revoke", key.pk)
    assert ApiKey.objects.get(pk=key.pk).revoked_at


def test_it_cancels_and_tells_which_it_could_not(root: Client, cast: Cast) -> None:
    waiting = JobFactory.create(tenant=cast.tenant)
    ended = JobFactory.create(tenant=cast.tenant, completed=True)
    content = act(root, "media_jobs_job", "cancel", waiting.pk, ended.pk)
    assert "1 canceled." in content
    assert f"{ended.pk}: the job has already completed" in content
    assert Job.objects.get(pk=waiting.pk).status == "canceled"


def test_it_runs_jobs_again(root: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant, failed=True)
    assert "1 submitted again." in act(root, "media_jobs_job", "retry", job.pk)
    assert Job.objects.filter(status="queued").count() == 1


def test_it_requeues_dead_letters(root: Client, cast: Cast) -> None:
    dead = JobFactory.create(tenant=cast.tenant, failed=True, quarantined_at=timezone.now())
    other = JobFactory.create(tenant=cast.tenant, failed=True)
    listed = root.get(
        reverse("admin:media_jobs_job_changelist"), {"quarantined_at__isempty": "0"}
    ).content.decode()
    assert dead.pk in listed
    assert other.pk not in listed
    content = act(root, "media_jobs_job", "requeue", dead.pk, other.pk)
    assert "1 requeued." in content
    assert f"{other.pk}: the job is not quarantined" in content
    assert not Job.objects.quarantined().exists()


@pytest.mark.parametrize("model", ["media_jobs_job", "storage_file", "accounts_tenant"])
def test_nothing_is_deleted_there(root: Client, cast: Cast, model: str) -> None:
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
