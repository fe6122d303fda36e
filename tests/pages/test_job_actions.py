from __future__ import annotations

import pytest
from django.test import Client

from media_jobs.models import Job
from tests.factories import JobFactory
from tests.harness.cast import Cast

ACTIONS = ("cancel", "retry", "delete")


def test_it_cancels(alice: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    assert alice.post(f"/jobs/{job.pk}/cancel")["Location"] == f"/jobs/{job.pk}"
    job.refresh_from_db()
    assert job.status == "canceled"


def test_it_runs_again_as_a_new_job_of_this_person(alice: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant, failed=True)
    again = alice.post(f"/jobs/{job.pk}/retry")["Location"].removeprefix("/jobs/")
    made = Job.objects.get(pk=again)
    assert made != job
    assert (made.user, made.params, made.status) == (cast.alice, job.params, "queued")


def test_to_run_again_takes_what_the_operation_takes(alice: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant, operation="ffmpeg", failed=True)
    response = alice.post(f"/jobs/{job.pk}/retry")
    assert response.status_code == 403
    assert "does not include ffmpeg:custom" in response.content.decode()
    assert Job.objects.get() == job


def test_it_deletes(alice: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant, completed=True)
    assert alice.post(f"/jobs/{job.pk}/delete")["Location"] == "/jobs"
    assert not Job.objects.exists()


@pytest.mark.parametrize("action", ["retry", "delete"])
def test_it_tells_what_can_t_be_done_now(alice: Client, cast: Cast, action: str) -> None:
    job = JobFactory.create(tenant=cast.tenant, running=True)
    response = alice.post(f"/jobs/{job.pk}/{action}")
    assert response.status_code == 409
    assert "cancel it first" in response.content.decode()


@pytest.mark.parametrize("action", ACTIONS)
def test_a_viewer_is_refused(bob: Client, cast: Cast, action: str) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    response = bob.post(f"/jobs/{job.pk}/{action}")
    assert response.status_code == 403
    assert "does not include" in response.content.decode()


@pytest.mark.parametrize("action", ACTIONS)
def test_staff_without_the_tenant_is_refused(staff: Client, cast: Cast, action: str) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    assert staff.get(f"/jobs/{job.pk}").status_code == 200
    assert staff.post(f"/jobs/{job.pk}/{action}").status_code == 403


@pytest.mark.parametrize("action", ACTIONS)
def test_another_tenant_s_is_absent(charlie: Client, cast: Cast, action: str) -> None:
    job = JobFactory.create(tenant=cast.tenant, failed=True)
    assert charlie.post(f"/jobs/{job.pk}/{action}").status_code == 404


@pytest.mark.parametrize("action", ACTIONS)
def test_reading_changes_nothing(alice: Client, cast: Cast, action: str) -> None:
    job = JobFactory.create(tenant=cast.tenant, failed=True)
    assert alice.get(f"/jobs/{job.pk}/{action}").status_code == 405
