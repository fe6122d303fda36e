"""Requests to the API. A new route needs one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from media_jobs.operations.core import REGISTRY, media_params
from tests.audit_coverage.stage import Ask, Stage
from tests.factories import ApiKeyFactory, FileFactory, JobFactory

URL = "https://example.org/film.mp4"
Case = tuple[str, Callable[[Stage], Ask]]


def _params(operation: str) -> dict[str, Any]:
    """An operation's own example."""
    declared = REGISTRY[operation]
    example = declared.examples[0]
    return {**example.params, **media_params(declared, dict.fromkeys(example.media, URL))}


def _job(stage: Stage, after: str = "", **traits: Any) -> Ask:
    job = JobFactory.create(tenant=stage.tenant, **traits)
    return Ask(f"/v1/jobs/{job.pk}{after}", about=job.pk)


def _retried(stage: Stage) -> Ask:
    job = JobFactory.create(tenant=stage.tenant, failed=True)
    return Ask(f"/v1/jobs/{job.pk}/retry")


def _upload(stage: Stage) -> Ask:
    content = stage.media.path("film").read_bytes()
    return Ask("/v1/files", {"file": SimpleUploadedFile("film.mp4", content)})


def _probe(stage: Stage) -> Ask:
    content = stage.media.path("film").read_bytes()
    film = FileFactory.create(tenant=stage.tenant, name="film.mp4", content=content)
    return Ask("/v1/probe", {"input": film.pk})


def _file(stage: Stage, body: Any = None) -> Ask:
    file = FileFactory.create(tenant=stage.tenant)
    return Ask(f"/v1/files/{file.pk}", body, about=file.pk)


def _key(stage: Stage, after: str = "", body: Any = None) -> Ask:
    key = ApiKeyFactory.create(tenant=stage.tenant, role="viewer")
    return Ask(f"/v1/api-keys/{key.pk}{after}", body, about=key.pk)


def _alerts(stage: Stage) -> Ask:
    return Ask("/v1/quotas/alerts", {"webhook_url": URL}, about=stage.tenant.pk)


def _runs(operation: str) -> Callable[[Stage], Ask]:
    return lambda _stage: Ask(f"/v1/{REGISTRY[operation].path}", _params(operation))


API: dict[str, Case] = {
    "POST api-jobs": (
        "job.created",
        lambda _: Ask("/v1/jobs", {"operation": "transcode", "params": _params("transcode")}),
    ),
    "DELETE api-job": ("job.deleted", lambda stage: _job(stage, completed=True)),
    "POST api-job-cancel": ("job.canceled", lambda stage: _job(stage, "/cancel")),
    "POST api-job-retry": ("job.retried", _retried),
    "POST api-files": ("file.created", _upload),
    "PATCH api-file": ("file.changed", lambda stage: _file(stage, {"tags": ["x"]})),
    "DELETE api-file": ("file.deleted", _file),
    "POST api-keys": (
        "api_key.created",
        lambda _: Ask("/v1/api-keys", {"name": "other", "role": "viewer"}),
    ),
    "PATCH api-key": ("api_key.changed", lambda stage: _key(stage, body={"name": "other"})),
    "POST api-key-rotate": (
        "api_key.rotated",
        lambda stage: _key(stage, "/rotate", {"overlap_seconds": 60}),
    ),
    "POST api-key-revoke": ("api_key.revoked", lambda stage: _key(stage, "/revoke")),
    "PUT api-quota-alerts": ("quota.alerts_changed", _alerts),
    **{
        f"POST api-run-{operation}": ("job.created", _runs(operation))
        for operation in REGISTRY
        if operation != "probe"
    },
    "POST api-run-probe": ("", _probe),
}
