"""R34: what a stranger's medium says of itself does not make rows of megabytes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import IdempotentRequest, Tenant
from accounts.models.idempotency import ANSWER_BYTES
from media_jobs.engine import jobs
from media_jobs.models import Job
from media_jobs.models.attempt import ANSWER_BYTES as STEP_BYTES
from media_jobs.models.job import RESULT_BYTES
from storage.models import File
from tests.engine.conftest import keep_path, work
from tests.harness.media import FFMPEG, Samples

__all__ = ["work"]
pytestmark = pytest.mark.django_db
LONG = "x" * (3 << 20)


@pytest.fixture
def talkative(tenant: Tenant, media: Samples, tmp_path: Path) -> File:
    """A film of which the tags take 6 MiB."""
    tags, film = tmp_path / "tags.txt", tmp_path / "film.mkv"
    tags.write_text(f";FFMETADATA1\ncomment={LONG}\n[STREAM]\n[STREAM]\nlanguage={LONG}\n")
    read = ("-i", media.path("film"), "-i", tags)
    mapped = ("-map", "0", "-map_metadata", "1", "-map_metadata:s:1", "1:s:1", "-c", "copy")
    subprocess.run([*FFMPEG, *read, *mapped, film], check=True)
    return keep_path(tenant, film)


def test_what_is_kept_of_a_file(talkative: File) -> None:
    assert talkative.media
    assert talkative.media["video"]["width"] == 640
    assert talkative.media["audio"][0]["language"] == "x" * 35
    assert len(json.dumps(talkative.media)) < 4096


def test_what_a_job_finds(talkative: File, tenant: Tenant, work: Callable[[Job], Job]) -> None:
    job = work(jobs.submit(tenant, jobs.Submission("probe", {"input": talkative.pk})))
    assert job.status == "completed", job.error
    assert len(json.dumps(job.result)) <= RESULT_BYTES
    assert job.result
    assert job.result["raw"]["format"]["tags"]["COMMENT"].startswith("xxx")
    assert job.result["media"]["video"]["width"] == 640
    assert ["too long" in each for each in job.warnings] == [True]
    assert not [each for each in job.steps.all() if len(json.dumps(each.answer)) > STEP_BYTES]


def test_what_is_answered_at_once(talkative: File, client: Client) -> None:
    for _ in range(2):
        answer = client.post(
            "/v1/probe",
            {"input": talkative.pk},
            content_type="application/json",
            headers={"Idempotency-Key": "once"},
        )
        assert answer.status_code == 200
        assert len(answer.content) <= ANSWER_BYTES
    assert answer["Idempotency-Replayed"] == "true"
    assert len(IdempotentRequest.objects.get().answer) <= ANSWER_BYTES
