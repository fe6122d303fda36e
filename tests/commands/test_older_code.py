"""R20: what ran before an upgrade goes on writing while the database is already the newer one."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader

pytestmark = pytest.mark.django_db

# Each has a migration before its last.
OURS = ("accounts", "media_jobs")


def _before(loader: MigrationLoader, app: str) -> Apps:
    """The models of ``app`` as they were before its last migration, the others as they are."""
    [last] = loader.graph.leaf_nodes(app)
    others = [leaf for leaf in loader.graph.leaf_nodes() if leaf[0] != app]
    parents = [parent for parent in loader.graph.node_map[last].parents if parent.key[0] == app]
    keys = [*(parent.key for parent in parents), *others]
    needs_last = {key for key in keys if last in loader.graph.forwards_plan(key)}
    return loader.project_state([key for key in keys if key not in needs_last]).apps


def _write(models: Apps) -> Any:
    """Make the rows that a submission and its slot make, with columns that the code knows of."""
    tenant = models.get_model("accounts", "Tenant").objects.create(id="tenant_old", name="old")
    key = models.get_model("accounts", "ApiKey").objects.create(
        id="key_old", tenant_id=tenant.pk, name="old", role="developer", secret_digest="0" * 64
    )
    file = models.get_model("storage", "File").objects.create(
        id="file_old", tenant_id=tenant.pk, name="old.mp4", origin="upload"
    )
    job = models.get_model("media_jobs", "Job").objects.create(
        id="job_old", tenant_id=tenant.pk, api_key_id=key.pk, operation="transcode"
    )
    models.get_model("media_jobs", "JobInput").objects.create(
        job_id=job.pk, role="input", file_id=file.pk
    )
    models.get_model("media_jobs", "Slot").objects.create(name="old", lane="cpu", pid=1)
    return job


@pytest.mark.parametrize("app", OURS)
def test_it_works(app: str) -> None:
    loader = MigrationLoader(connection)
    job = _write(_before(loader, app))
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, attempt FROM media_jobs_job WHERE id = %s", [job.pk])
        assert cursor.fetchone() == ("queued", 0)
