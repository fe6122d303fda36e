from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import Tenant
from media_jobs.engine import jobs
from media_jobs.models import Job
from media_jobs.slot import tasks
from storage import hooks, store
from storage.models import File
from tests.factories import TenantFactory
from tests.harness.media import Samples


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


@pytest.fixture
def stored(tenant: Tenant, media: Samples) -> Callable[[str], File]:
    """Give a sample as a published file of the tenant, probed as an upload is."""

    def keep(sample: str) -> File:
        return keep_path(tenant, media.path(sample))

    return keep


def keep_path(tenant: Tenant, path: Path) -> File:
    summary = hooks.inspect(path, tenant.pk)
    file = store.add(tenant.pk, path, name=path.name, origin="upload", media=summary, move=False)
    store.publish(file)
    return file


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[Job], Job]:
    """Run the next due job in this process, and give the row as it is then."""
    monkeypatch.setenv("FFAPI_SLOT", "slot-of-the-test")

    def run(job: Job) -> Job:
        tasks.work(job.lane)
        job.refresh_from_db()
        return job

    return run


@pytest.fixture
def transcode(tenant: Tenant, stored: Callable[[str], File]) -> Callable[..., Job]:
    """Submit a short transcode that really encodes."""

    def submit(sample: str = "brief_film", **asked: object) -> Job:
        params = {"input": stored(sample).id, "resolution": "360p", "preset": "fast"}
        asked = {"params": params | {"when_conformant": "encode"}} | asked
        return jobs.submit(tenant, jobs.Submission("transcode", **asked))  # type: ignore[arg-type]

    return submit
