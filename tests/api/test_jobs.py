from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Tenant
from accounts.roles import Role
from media_jobs.models import Job
from storage.models import File
from tests.api.sending import WANTED, code_of, pointers, send
from tests.factories import FileFactory, JobAttemptFactory, JobFactory, JobOutputFactory
from tests.harness.api_client import client_of

pytestmark = pytest.mark.django_db

SHAPE = {
    "id", "operation", "status", "priority", "created_at", "started_at", "finished_at", "attempt",
    "max_attempts", "progress", "queue", "device", "fallback", "params", "inputs", "outputs",
    "result", "error", "warnings", "usage", "metadata", "tags", "links",
}  # fmt: skip


def test_it_works(client: Client) -> None:
    asked = WANTED | {"priority": "high", "tags": ["a"], "metadata": {"order": 1}}
    response = send(client, "/v1/jobs", asked)
    assert response.status_code == 202, response.content
    job = response.json()
    assert set(job) == SHAPE
    assert response["Location"] == f"/v1/jobs/{job['id']}"
    assert (job["status"], job["priority"]) == ("queued", "high")
    assert set(job["queue"]) == {"position", "reason", "detail", "starts_at"}
    assert job["inputs"] == [{"role": "input", "file": None, "url": "https://example.org/a.mp4"}]
    assert (job["tags"], job["metadata"]) == (["a"], {"order": 1})
    assert client.get(response["Location"]).json() == job
    assert [each["id"] for each in client.get("/v1/jobs").json()["results"]] == [job["id"]]


def test_the_flat_form_is_the_same(client: Client) -> None:
    flat = {"input_url": "https://example.org/a.mp4", "output_format": "webm", "tags": ["x"]}
    job = send(client, "/v1/transcode", flat).json()
    assert (job["operation"], job["tags"]) == ("transcode", ["x"])
    assert job["params"] == {"input_url": "https://example.org/a.mp4", "output_format": "webm"}
    assert job["inputs"][0]["url"] == "https://example.org/a.mp4"


def test_to_delete_a_job_with_files_takes_the_right_to_delete_files(tenant: Tenant) -> None:
    job = JobOutputFactory.create(job__tenant=tenant).job
    client = client_of(tenant, Role.DEVELOPER, scopes=["jobs:cancel", "jobs:read"])
    refused = client.delete(f"/v1/jobs/{job.pk}")
    assert code_of(refused, 403) == "forbidden"
    assert refused.json()["required_scope"] == "files:delete"
    empty = JobFactory.create(tenant=tenant, failed=True)
    assert client.delete(f"/v1/jobs/{empty.pk}").status_code == 204
    assert client_of(tenant).delete(f"/v1/jobs/{job.pk}").status_code == 204
    assert not File.objects.exists()


def test_an_address_may_be_as_long_as_signed_ones_are(client: Client) -> None:
    url = "https://example.org/a.mp4?" + "x" * (4096 - 26)
    asked = {"operation": "transcode", "params": {"input": url}, "webhook_url": url}
    job = send(client, "/v1/jobs", asked).json()
    assert job["inputs"][0]["url"] == url
    asked = {"operation": "transcode", "params": {"input": url + "x"}, "webhook_url": url + "x"}
    assert set(pointers(send(client, "/v1/jobs", asked))) == {"/webhook_url"}
    asked.pop("webhook_url")
    refused = send(client, "/v1/jobs", asked)
    assert pointers(refused) == ["/params/input"]
    assert "at most 4096 characters" in refused.json()["detail"]


def test_a_name_counts_as_it_is_stored(client: Client) -> None:
    """Composed, one character becomes three."""
    refused = send(client, "/v1/jobs", WANTED | {"output_name": "\ufb2c" * 51})
    assert pointers(refused) == ["/output_name"]
    assert send(client, "/v1/jobs", WANTED | {"output_name": "\ufb2c" * 50}).status_code == 202


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["/operation"]),
        ({"operation": "nope", "params": {}}, ["/operation"]),
        (WANTED | {"priorty": "high"}, ["/priorty"]),
        (WANTED | {"priority": "urgent"}, ["/priority"]),
        (WANTED | {"tags": ["", 1]}, ["/tags/0", "/tags/1"]),
        (WANTED | {"metadata": []}, ["/metadata"]),
        (WANTED | {"webhook_url": "ftp://example.org"}, ["/webhook_url"]),
        (WANTED | {"webhook_url": "http://127.0.0.1/"}, ["/webhook_url"]),
        (WANTED | {"output_name": "a/b"}, ["/output_name"]),
        (WANTED | {"params": WANTED["params"] | {"crf": 99}}, ["/params/crf"]),  # type: ignore[operator]
        (WANTED | {"params": {}}, ["/params/input"]),
        (WANTED | {"params": {"input": "http://127.0.0.1/a"}}, ["/params/input"]),
        (WANTED | {"params": {"input": "file_01k00000000000000000000000"}}, ["/params/input"]),
        ([], [""]),
    ],
)
def test_what_is_wrong_is_named(client: Client, body: Any, wrong: list[str]) -> None:
    assert pointers(send(client, "/v1/jobs", body)) == wrong
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("more", "wrong"),
    [({"crf": 99}, "/crf"), ({"priority": 3}, "/priority"), ({"nope": 1}, "/nope")],
)
def test_the_flat_form_names_its_own_fields(client: Client, more: Any, wrong: str) -> None:
    body = {"input_url": "https://example.org/a.mp4"} | more
    assert pointers(send(client, "/v1/transcode", body)) == [wrong]


def test_anothers_file_is_no_input(client: Client) -> None:
    foreign = FileFactory.create()
    refused = send(client, "/v1/jobs", WANTED | {"params": {"input": foreign.pk}})
    assert pointers(refused) == ["/params/input"]


def test_a_queued_job_is_canceled_at_once(client: Client, job: Job) -> None:
    canceled = send(client, f"/v1/jobs/{job.pk}/cancel")
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    assert "queue" not in canceled.json()
    assert send(client, f"/v1/jobs/{job.pk}/cancel").json() == canceled.json()


def test_a_running_job_is_asked_to_stop(client: Client, tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, running=True)
    assert send(client, f"/v1/jobs/{job.pk}/cancel").status_code == 202
    job.refresh_from_db()
    assert job.cancel_requested_at is not None


def test_an_ended_job_is_not_canceled(client: Client, tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, failed=True)
    assert code_of(send(client, f"/v1/jobs/{job.pk}/cancel"), 409) == "job_ended"


def test_a_retry_is_a_new_job(client: Client, tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, failed=True, tags=["x"])
    again = send(client, f"/v1/jobs/{job.pk}/retry")
    assert again.status_code == 202, again.content
    assert again.json()["id"] != job.pk
    assert (again.json()["params"], again.json()["tags"]) == (job.params, ["x"])


def test_a_retry_takes_what_the_operation_takes(tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, operation="ffmpeg", failed=True)
    refused = send(client_of(tenant, Role.OPERATOR), f"/v1/jobs/{job.pk}/retry")
    assert code_of(refused, 403) == "forbidden"
    assert refused.json()["required_scope"] == "ffmpeg:custom"
    assert Job.objects.get() == job


def test_a_job_that_has_not_ended_is_neither_retried_nor_deleted(client: Client, job: Job) -> None:
    assert code_of(send(client, f"/v1/jobs/{job.pk}/retry"), 409) == "job_not_ended"
    assert code_of(client.delete(f"/v1/jobs/{job.pk}"), 409) == "job_not_ended"


def test_fields_where_none_are_read_are_refused(client: Client, job: Job) -> None:
    assert pointers(send(client, f"/v1/jobs/{job.pk}/cancel", {"force": True})) == ["/force"]


def test_the_log_tells_of_every_attempt(client: Client, job: Job) -> None:
    JobAttemptFactory.create(job=job, log="$ ffmpeg\nfirst")
    JobAttemptFactory.create(job=job, log="$ ffmpeg\nsecond")
    response = client.get(f"/v1/jobs/{job.pk}/log", headers={"Accept": "text/plain"})
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.index(b"first") < response.content.index(b"second")


def test_the_place_in_the_queue_follows_the_priority(client: Client, tenant: Tenant) -> None:
    late = send(client, "/v1/jobs", WANTED | {"priority": "low"}).json()
    for _ in range(2):
        JobFactory.create()  # another tenant's, whose turns do not depend on this one's
    soon = send(client, "/v1/jobs", WANTED | {"priority": "high"}).json()
    assert soon["queue"]["position"] == 1
    assert client.get(late["links"]["self"]).json()["queue"]["position"] == 2


@pytest.mark.django_db(transaction=True)
def test_deleting_a_job_deletes_what_it_made(client: Client, tenant: Tenant) -> None:
    job = JobFactory.create(tenant=tenant, completed=True)
    media = {"duration_s": 2.5, "video": {"width": 320, "height": 240}}
    file = FileFactory.create(tenant=tenant, origin="job", media=media, name="result.mp4")
    JobOutputFactory.create(job=job, file=file)
    (output,) = client.get(f"/v1/jobs/{job.pk}").json()["outputs"]
    assert (output["file"], output["role"], output["name"]) == (file.pk, "result", "result.mp4")
    assert (output["duration_seconds"], output["width"], output["height"]) == (2.5, 320, 240)
    assert output["sha256"] == file.sha256
    assert output["download_url"].startswith("http")
    assert client.delete(f"/v1/jobs/{job.pk}").status_code == 204
    assert code_of(client.get(f"/v1/jobs/{job.pk}"), 404) == "not_found"
    assert code_of(client.get(f"/v1/files/{file.pk}"), 404) == "not_found"


def test_outputs_of_a_job_that_is_not_completed_are_not_told(
    client: Client, tenant: Tenant
) -> None:
    job = JobFactory.create(tenant=tenant, running=True)
    JobOutputFactory.create(job=job)
    assert client.get(f"/v1/jobs/{job.pk}").json()["outputs"] == []


def test_a_viewer_does_not_submit(tenant: Tenant) -> None:
    refused = send(client_of(tenant, Role.VIEWER), "/v1/jobs", WANTED)
    assert code_of(refused, 403) == "forbidden"
    assert refused.json()["required_scope"] == "jobs:create"
    assert refused.json()["role"] == "viewer"
