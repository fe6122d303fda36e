from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts.models import QuotaCounter, StorageHold, Tenant
from accounts.quotas import limits, recount, reservations, suspension
from accounts.quotas.bounds import Bounds
from accounts.quotas.errors import QuotaExceeded
from media_jobs.models import JobOutput
from storage import store
from storage.models import File
from storage.models.file import Origin
from tests.api.sending import code_of
from tests.factories import ApiKeyFactory, FileFactory, JobFactory
from tests.harness.api_client import client_of, key_of
from tests.harness.media import Samples

pytestmark = pytest.mark.django_db

_MIB = 1 << 20


def counted(tenant: Tenant) -> tuple[int, int]:
    row = QuotaCounter.objects.filter(subject=tenant.pk, name="max_storage_mb").first()
    return (row.used, row.reserved) if row else (0, 0)


def upload(client: Client, content: bytes, name: str = "words.srt") -> int:
    return int(client.post("/v1/files", {"file": SimpleUploadedFile(name, content)}).status_code)


def subtitles(size_bytes: int) -> bytes:
    text = b"1\n00:00:00,000 --> 00:00:01,000\n"
    return text + b"a" * (size_bytes - len(text) - 1) + b"\n"


def test_it_works(tenant: Tenant, client: Client) -> None:
    limits.set_for_tenant(tenant, {"max_storage_mb": 1})
    assert upload(client, subtitles(600_000)) == 201
    assert counted(tenant) == (600_000, 0)
    refused = client.post("/v1/files", {"file": SimpleUploadedFile("b.srt", subtitles(600_000))})
    assert code_of(refused, 429) == "quota_exceeded"
    assert refused.json()["quota"] == "max_storage_mb"
    assert refused.json()["resets_at"] is None
    assert int(refused["Retry-After"]) > 0
    assert counted(tenant) == (600_000, 0)
    assert not StorageHold.objects.exists()


def test_an_upload_that_is_repeated_has_its_answer(tenant: Tenant, client: Client) -> None:
    """Though there is no room for another any more."""
    limits.set_for_tenant(tenant, {"max_storage_mb": 1})

    def send(content: bytes) -> Any:
        file = SimpleUploadedFile("a.srt", content)
        return client.post("/v1/files", {"file": file}, headers={"Idempotency-Key": "once"})

    first, again = send(subtitles(900_000)), send(subtitles(900_000))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]
    assert code_of(send(subtitles(900_001)), 422) == "idempotency_key_reused"
    assert counted(tenant) == (900_000, 0)


def test_a_deleted_file_gives_its_room_back(tenant: Tenant, client: Client) -> None:
    limits.set_for_tenant(tenant, {"max_storage_mb": 1})
    upload(client, subtitles(600_000))
    file = File.objects.for_tenant(tenant).get()
    assert client.delete(f"/v1/files/{file.pk}").status_code == 204
    assert counted(tenant) == (0, 0)
    store.remove(file)  # once more gives nothing back
    assert counted(tenant) == (0, 0)


def test_a_refused_file_gives_its_room_back(tenant: Tenant, client: Client) -> None:
    limits.set_for_tenant(tenant, {"max_storage_mb": 1})
    assert upload(client, b"#!/bin/sh\n", "words.sh") == 422
    assert counted(tenant) == (0, 0)
    assert not StorageHold.objects.exists()


def test_room_is_kept_from_the_start_of_an_upload(tenant: Tenant) -> None:
    limits.set_for_tenant(tenant, {"max_storage_mb": 1})
    hold = reservations.hold_storage(tenant.pk, None, 700_000)
    assert counted(tenant) == (0, 700_000)
    with pytest.raises(QuotaExceeded):
        reservations.hold_storage(tenant.pk, None, 700_000)
    assert recount.of_tenant(tenant.pk, mend=False) == []
    reservations.drop_hold(hold)
    reservations.drop_hold(hold)
    assert counted(tenant) == (0, 0)


def test_a_hold_that_a_crash_left_is_swept(tenant: Tenant) -> None:
    limits.set_for_tenant(tenant, {"max_storage_mb": 1})
    reservations.hold_storage(tenant.pk, None, 700_000)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_storagehold SET created_at = now() - '3h'::interval")
    reservations.forget_old()
    assert counted(tenant) == (0, 0)


def test_a_key_has_its_own(tenant: Tenant) -> None:
    client = client_of(tenant, name="narrow")
    limits.set_for_key(tenant.api_keys.get(name="narrow"), {"max_storage_mb": 1})
    assert upload(client, subtitles(600_000)) == 201
    assert upload(client, subtitles(600_000)) == 429
    assert upload(client_of(tenant), subtitles(600_000)) == 201


def test_a_limit_counts_what_is_there_already(tenant: Tenant, client: Client) -> None:
    FileFactory.create(tenant=tenant, content=b"x" * 900_000)
    limits.set_for_tenant(tenant, {"max_storage_mb": 1})
    assert counted(tenant) == (900_000, 0)
    assert upload(client, subtitles(300_000)) == 429


def test_a_file_has_a_largest_size(tenant: Tenant, client: Client) -> None:
    limits.set_for_tenant(tenant, {"max_file_size_mb": 1})
    response = client.post("/v1/files", {"file": SimpleUploadedFile("a.srt", subtitles(2 * _MIB))})
    assert code_of(response, 413) == "file_too_large"
    assert "1 MiB" in response.json()["detail"]
    assert upload(client, subtitles(900_000)) == 201


def test_a_key_has_a_largest_size_of_its_own(tenant: Tenant, client: Client) -> None:
    narrow = client_of(tenant, name="narrow")
    limits.set_for_key(tenant.api_keys.get(name="narrow"), {"max_file_size_mb": 1})
    assert upload(narrow, subtitles(2 * _MIB)) == 413
    assert upload(narrow, subtitles(900_000)) == 201
    assert upload(client, subtitles(2 * _MIB)) == 201


def test_a_page_s_upload_counts(tenant: Tenant, settings: Settings) -> None:
    from tests.factories import MembershipFactory

    limits.set_for_tenant(tenant, {"max_storage_mb": 1})
    client = Client()
    client.force_login(MembershipFactory.create(tenant=tenant).user)

    def send() -> int:
        body = subtitles(600_000)
        path = "/files/upload?name=a.srt"
        return int(client.post(path, body, content_type="application/octet-stream").status_code)

    assert [send(), send()] == [201, 429]
    assert counted(tenant) == (600_000, 0)


def test_a_job_s_outputs_count_and_may_find_no_room(
    tenant: Tenant, tmp_path: Path, media: Samples
) -> None:
    from media_jobs.ffmpeg.command import OutputFile
    from media_jobs.worker import job_errors, outputs

    limits.set_for_tenant(tenant, {"max_storage_mb": 1})
    job = JobFactory.create(tenant=tenant, running=True)
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes(b"x" * 600_000)
    planned = [OutputFile(name, "output", name, "text/plain") for name in ("a.txt", "b.txt")]
    with pytest.raises(QuotaExceeded) as refused:
        outputs.keep(job, tmp_path, planned, Bounds())
    failure = job_errors.failure_of(refused.value)
    assert (failure.code, failure.retryable) == ("quota_exceeded", False)
    assert "max_storage_mb is 1 MiB" in failure.detail
    assert counted(tenant) == (0, 0)
    assert not JobOutput.objects.exists()


def test_a_job_s_output_counts_for_the_key_that_asked_for_it(
    tenant: Tenant, tmp_path: Path
) -> None:
    from media_jobs.ffmpeg.command import OutputFile
    from media_jobs.worker import outputs

    api_key = ApiKeyFactory.create(tenant=tenant)
    limits.set_for_key(api_key, {"max_storage_mb": 1})
    job = JobFactory.create(tenant=tenant, api_key=api_key, running=True)
    (tmp_path / "a.txt").write_bytes(b"x" * 600_000)
    planned = [OutputFile("a.txt", "output", "a.txt", "text/plain")]
    [(_, file)] = outputs.keep(job, tmp_path, planned, Bounds()).files
    assert file.api_key == api_key
    assert QuotaCounter.objects.get(subject=api_key.pk).used == 600_000


def test_a_job_that_runs_stores_its_outputs_though_its_tenant_is_suspended(
    tenant: Tenant, client: Client, tmp_path: Path
) -> None:
    """A quota holds all the same."""
    limits.set_for_tenant(tenant, {"max_storage_mb": 1})
    suspension.suspend(tenant, "a test")

    def keep(name: str) -> File:
        (tmp_path / name).write_bytes(b"x" * 600_000)
        return store.add(tenant.pk, tmp_path / name, name=name, origin=Origin.JOB)

    keep("a.txt")
    assert counted(tenant) == (600_000, 0)
    with pytest.raises(QuotaExceeded):
        keep("b.txt")
    assert upload(client, subtitles(100)) == 403


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_as_many_as_fit(tenant: Tenant) -> None:
    limits.set_for_tenant(tenant, {"max_storage_mb": 1})
    key, start = key_of(tenant), Barrier(20)

    def post(_: int) -> int:
        client = Client(headers={"X-API-Key": key})
        try:
            start.wait()
            return upload(client, subtitles(300_000))
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        answers = sorted(threads.map(post, range(20)))
    taken = answers.count(201)
    assert answers == [201] * taken + [429] * (20 - taken)
    assert 1 <= taken <= 3  # each begins with room kept for its whole body
    assert counted(tenant) == (taken * 300_000, 0)
    assert recount.of_tenant(tenant.pk, mend=False) == []
