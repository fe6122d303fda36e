from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditRecord, Tenant
from ffapi_site.lib.problems import Conflict, Invalid, NotFound
from media_jobs.engine import jobs, wakeups
from media_jobs.models import Job, Status
from storage import store
from storage.models import File
from tests.factories import FileFactory, JobFactory, JobOutputFactory

pytestmark = pytest.mark.django_db


def refusal(tenant: Tenant, operation: str, params: dict[str, Any], **more: Any) -> dict[str, str]:
    """Submit what must be refused, and give the wrong fields with their codes."""
    with pytest.raises(Invalid) as refused:
        jobs.submit(tenant, jobs.Submission(operation, params, **more))
    assert not Job.objects.exists()
    return {error.pointer: error.code for error in refused.value.errors}


def test_it_works(transcode: Callable[..., Job]) -> None:
    job = transcode(priority="high", tags=["a"], metadata={"k": 1}, output_name="x.mp4")
    assert (job.status, job.priority, job.tags, job.lane) == (Status.QUEUED, 0, ["a"], "cpu")
    assert [(each.role, each.url) for each in job.inputs.all()] == [("input", "")]
    assert wakeups.waiting_tokens("cpu") == 1
    assert [event.to_status for event in job.events.all()] == ["queued"]


def test_an_unknown_operation_is_named(tenant: Tenant) -> None:
    assert refusal(tenant, "transmogrify", {}) == {"/operation": "unknown"}


def test_every_wrong_field_is_named(tenant: Tenant, stored: Callable[[str], File]) -> None:
    wrong = {"input": stored("film").id, "crf": 99, "colour": "red"}
    assert set(refusal(tenant, "transcode", wrong)) == {"/params/crf", "/params/colour"}


def test_a_missing_input_is_named(tenant: Tenant) -> None:
    assert refusal(tenant, "transcode", {}) == {"/params/input": "required"}


def test_a_stranger_s_file_is_like_none(tenant: Tenant) -> None:
    foreign = FileFactory.create()
    found = refusal(tenant, "transcode", {"input": foreign.id})
    assert found == {"/params/input": "file_not_found"}


def test_an_unpublished_file_is_like_none(tenant: Tenant, stored: Callable[[str], File]) -> None:
    file = stored("film")
    File.objects.filter(pk=file.pk).update(published_at=None)
    assert refusal(tenant, "transcode", {"input": file.id}) == {"/params/input": "file_not_found"}


def test_what_is_no_medium_is_refused(tenant: Tenant) -> None:
    text = FileFactory.create(tenant=tenant, name="notes.srt")
    assert refusal(tenant, "transcode", {"input": text.id}) == {"/params/input": "not_a_medium"}


def test_the_first_step_is_planned_at_once(tenant: Tenant, stored: Callable[[str], File]) -> None:
    too_late = {"input": stored("film").id, "start": 500}
    assert list(refusal(tenant, "video/trim", too_late)) == ["/params/start"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.mp4",
        "http://169.254.169.254/latest",
        "http://[::1]/a",
        "http://10.1.2.3/",
    ],
)
def test_an_address_inside_is_refused(tenant: Tenant, url: str) -> None:
    assert refusal(tenant, "transcode", {"input": url}) == {
        "/params/input": "url_address_not_allowed"
    }


def test_a_webhook_inside_is_refused(tenant: Tenant, stored: Callable[[str], File]) -> None:
    params = {"input": stored("film").id}
    found = refusal(tenant, "transcode", params, webhook_url="http://10.0.0.1/hook")
    assert found == {"/webhook_url": "url_address_not_allowed"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("priority", "urgent"),
        ("output_name", "../x.mp4"),
        ("output_name", "a\nb"),
        ("metadata", {"k": "v" * 20_000}),
        ("tags", ["t"] * 33),
        ("tags", [""]),
    ],
)
def test_a_wrong_job_field_is_named(
    tenant: Tenant, stored: Callable[[str], File], field: str, value: object
) -> None:
    params = {"input": stored("film").id}
    assert list(refusal(tenant, "transcode", params, **{field: value})) == [f"/{field}"]


def test_cancel_asks_a_running_job_to_end(tenant: Tenant) -> None:
    job = jobs.cancel(JobFactory.create(tenant=tenant, running=True))
    assert job.status == Status.RUNNING
    assert job.cancel_requested_at is not None


def test_cancel_twice_is_no_mistake(tenant: Tenant) -> None:
    job = jobs.cancel(JobFactory.create(tenant=tenant))
    assert jobs.cancel(job).status == Status.CANCELED


def test_a_job_that_is_deleted_meanwhile_is_not_found(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, completed=True)
    jobs.delete(Job.objects.get(pk=job.pk))
    with pytest.raises(NotFound):
        jobs.cancel(job)


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_an_ended_job_can_t_be_canceled(tenant: Tenant, status: str) -> None:
    with pytest.raises(Conflict):
        jobs.cancel(JobFactory.create(tenant=tenant, **{status: True}))


def test_retry_makes_a_new_job(tenant: Tenant, transcode: Callable[..., Job]) -> None:
    first = transcode(tags=["again"], priority="low")
    jobs.cancel(first)
    first.refresh_from_db()
    second = jobs.retry(first)
    assert second.id != first.id
    assert (second.params, second.tags, second.priority) == (first.params, ["again"], 2)


def test_only_ended_jobs_are_retried_and_deleted(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant)
    with pytest.raises(Conflict):
        jobs.retry(job)
    with pytest.raises(Conflict):
        jobs.delete(job)


def test_the_log_tells_which_files_went_and_which_stayed(
    transcode: Callable[..., Job], work: Callable[[Job], Job], tenant: Tenant
) -> None:
    job = work(transcode())
    needed = job.outputs.get().file
    gone = JobOutputFactory.create(job=job).file
    jobs.submit(tenant, jobs.Submission("transcode", {"input": needed.pk}))
    jobs.delete(job)
    [told] = AuditRecord.objects.filter(event_type="job.deleted").values_list("details", flat=True)
    assert (told["files"], told["kept_files"]) == ([gone.pk], [needed.pk])
    assert list(File.objects.published().filter(origin="job")) == [needed]
    assert not File.objects.filter(pk=gone.pk).exists()


def test_delete_takes_the_outputs_along(
    transcode: Callable[..., Job], work: Callable[[Job], Job]
) -> None:
    job = work(transcode())
    made = job.outputs.get().file
    jobs.delete(job)
    assert not Job.objects.exists()
    assert not File.objects.filter(pk=made.pk).exists()
    with pytest.raises(store.Gone):
        store.open_content(made)
