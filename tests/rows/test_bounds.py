"""R34: no row grows without a bound: each column of no fixed width says how much it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.http import HttpResponse
from django.test import Client

from accounts import audit, idempotency
from accounts.audit_events import AuditEvent
from accounts.models import AuditRecord, IdempotentRequest, Tenant
from accounts.models.idempotency import ANSWER_BYTES
from ffapi_site.lib.bounded_fields import BoundedJSONField, BoundedTextField, TooLong
from media_jobs import sandbox
from media_jobs.host import toolchain
from media_jobs.models import Job
from media_jobs.models.attempt import LOG_BYTES
from media_jobs.models.job import PARAMS_BYTES, RESULT_BYTES
from media_jobs.worker.receipt import CommandLog, Ran
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db

OUR_APPS = ("accounts", "storage", "media_jobs")
# Columns that hold what we make, or what is bounded where it is checked, and by what.
BOUNDED_ELSEWHERE = {
    "accounts.Authenticator.secret": "made here",
    "accounts.Authenticator.failed_at": "kept to the last few tries",
    "accounts.IdempotentRequest.answer": "longer answers are not kept",
    "accounts.IdempotentRequest.body": "no longer written",
    "accounts.ApiKey.narrowed_to": "a choice of the scopes that there are",
    "accounts.ApiKey.allowed_ips": "a number of networks that the key's body bounds",
    "accounts.ApiKey.known_addresses": "the last few",
    "accounts.ApiKey.quota": "a number for each quota that there is",
    "accounts.Tenant.quota": "a number for each quota that there is",
    "accounts.Tenant.limits": "a number for each quota that there is",
    "accounts.Tenant.webhook_secret": "made here",
    "accounts.Plan.limits": "a number for each quota that there is; by staff",
    "accounts.AuditCheckpoint.envelope": "made here, of digests and numbers",
    "accounts.AuditKey.envelope": "made here, of digests and numbers",
    "accounts.AuditSignature.statement": "made here, of digests and numbers",
    "accounts.AuditSealer.troubles": "one for each chain that can't be sealed",
    "accounts.AuditRecord.salt": "16 bytes",
    "accounts.BrowserSession.session_data": "made here, of ids and moments",
    "storage.File.tags": "32 of 64 characters: ffapi_site.lib.labels",
    "media_jobs.Job.tags": "32 of 64 characters: ffapi_site.lib.labels",
    "media_jobs.Slot.sandbox": "what a host is like",
    "media_jobs.Slot.capabilities": "what a host is like",
    "media_jobs.Slot.devices": "what a host is like",
    "media_jobs.Slot.troubles": "one for each chore of a slot that fails",
}
HUGE = {"text": "x" * (2 << 20), "list": list(range(1 << 18))}


def unbounded_kinds() -> Iterator[tuple[str, models.Field[Any, Any]]]:
    kinds = (models.TextField, models.JSONField, models.BinaryField, ArrayField)
    for model in apps.get_models():
        if model._meta.app_label in OUR_APPS and not model._meta.proxy:
            for field in model._meta.concrete_fields:
                if isinstance(field, kinds):
                    yield f"{model._meta.label}.{field.name}", field


DECLARED = {
    name: field
    for name, field in unbounded_kinds()
    if isinstance(field, BoundedJSONField | BoundedTextField)
}


def test_every_column_of_no_fixed_width_has_a_bound() -> None:
    found = {name for name, _ in unbounded_kinds()}
    assert found - DECLARED.keys() == BOUNDED_ELSEWHERE.keys()


@pytest.mark.parametrize("name", DECLARED)
def test_no_write_gets_past_the_bound(name: str) -> None:
    field = DECLARED[name]
    if isinstance(field, BoundedTextField):
        written = field.get_db_prep_save(HUGE["text"], connection)
        assert len(written.encode()) <= field.most_bytes
    elif field.cuts:
        written = field.get_db_prep_save(HUGE, connection)
        assert len(json.dumps(written.obj)) <= field.most_bytes
    else:
        with pytest.raises(TooLong):
            field.get_db_prep_save(HUGE, connection)


def test_an_update_is_bounded_as_a_save_is() -> None:
    job = JobFactory.create(completed=True)
    Job.objects.filter(pk=job.pk).update(result=HUGE)
    job.refresh_from_db()
    assert len(json.dumps(job.result)) <= RESULT_BYTES
    assert job.result["text"].startswith("xxx")


def test_params_that_are_too_long_are_refused_by_name(client: Client) -> None:
    params = {"input": "https://example.org/a.mp4", "x": "y" * PARAMS_BYTES}
    body = {"operation": "transcode", "params": params}
    answer = client.post("/v1/jobs", body, content_type="application/json")
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/params"]
    assert not Job.objects.exists()


def test_what_an_audit_record_tells_is_bounded(tenant: Tenant) -> None:
    made = audit.record(AuditEvent.JOB_DELETED, tenant.pk, details={"files": ["x" * 100] * 10_000})
    record = AuditRecord.objects.get(pk=made)
    assert record.details["files"]
    assert len(json.dumps(record.details)) <= AuditRecord._meta.get_field("details").most_bytes


def test_the_log_of_a_command_keeps_its_head_and_tail() -> None:
    commands = CommandLog()
    done = sandbox.Finished(0, b"", "", cpu_seconds=1.0, wall_seconds=1.0, timed_out=False)
    said = "first\n" + "x" * (16 << 20) + "\nlast"
    ran = Ran(["ffmpeg", "-i", "in/0.mp4"], next(toolchain.usable()), done)
    commands.add(ran, said, "")
    [log] = commands.printed
    assert len(log) <= LOG_BYTES
    assert "first" in log
    assert log.endswith("last\n")


def claimed(tenant: Tenant) -> idempotency.Claim:
    claim = idempotency.claim(tenant, "key", "fingerprint", takeover_after_s=120)
    assert isinstance(claim, idempotency.Claim)
    return claim


def test_an_answer_too_long_to_keep_is_made_again(tenant: Tenant) -> None:
    claimed(tenant).keep(HttpResponse(b"x" * (ANSWER_BYTES + 1)))
    assert not IdempotentRequest.objects.exists()


def test_what_was_made_is_not_made_again_though_its_answer_is_too_long(tenant: Tenant) -> None:
    first = claimed(tenant)
    with transaction.atomic():
        first.note_made("job_1")
    first.keep(HttpResponse(b"x" * (ANSWER_BYTES + 1)))
    assert claimed(tenant).made == "job_1"


def test_an_answer_that_fits_is_kept(tenant: Tenant) -> None:
    claimed(tenant).keep(HttpResponse(b"x" * ANSWER_BYTES))
    again = idempotency.claim(tenant, "key", "fingerprint", takeover_after_s=120)
    assert isinstance(again, HttpResponse)
    assert len(again.content) == ANSWER_BYTES
