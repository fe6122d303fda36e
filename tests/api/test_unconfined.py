"""What needs FFmpeg where the sandbox does not hold: it says so, and is no fault of the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import Tenant
from media_jobs.models import Job
from media_jobs.operations.core import SAMPLES
from media_jobs.planning import availability
from media_jobs.sandbox import allowed_paths
from tests.factories import FileFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _exposed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The data lie where FFmpeg may read, from the start of this process."""
    media = allowed_paths.Private("media", Path("/usr/lib/ffapi"))
    monkeypatch.setattr(allowed_paths, "kept", lambda: [media])
    availability._found.cache_clear()
    yield
    availability._found.cache_clear()


def test_a_job_is_not_taken(client: Client, tenant: Tenant) -> None:
    media = SAMPLES["film"].info.to_json()
    file = FileFactory.create(tenant=tenant, media=media)
    body = {"operation": "transcode", "params": {"input": file.pk}}
    response = client.post("/v1/jobs", body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert "can't be confined" in response.json()["detail"]
    assert "/usr/lib" not in response.content.decode()
    assert not Job.objects.exists()


def test_the_catalogue_says_why(client: Client) -> None:
    told = client.get("/v1/operations/transcode").json()
    assert not told["available"]
    assert "can't be confined" in told["reason"]
