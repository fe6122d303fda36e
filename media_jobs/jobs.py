"""What can be asked of jobs: submit, cancel, retry, delete. API, pages and admin all come here."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from accounts.models import ApiKey, Tenant, User
from ffapi_site.lib import netguard
from ffapi_site.lib.outbound import url_policy
from ffapi_site.lib.problems import Conflict, invalid
from media_jobs import queue, states
from media_jobs.models import Job, JobInput, Priority
from media_jobs.worker.planning import Planned, plan
from storage import store
from storage.models import File
from storage.names import NameRefused, clean_name

_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,150}")
_METADATA_BYTES = 16 * 1024
_TAGS = 32
_TAG_LENGTH = 64


@dataclass(frozen=True)
class Submission:
    """What somebody asks for, as it came."""

    operation: str
    params: dict[str, Any]
    priority: str = "normal"
    output_name: str = ""
    webhook_url: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    device: str = "auto"

    def check(self) -> None:
        """Refuse what no operation could make good. Raises `Invalid`."""
        if self.priority.upper() not in Priority.names:
            raise invalid("/priority", "one of high, normal, low", "choice")
        if self.output_name and not _NAME.fullmatch(self.output_name):
            raise invalid("/output_name", "a file name of at most 150 characters, without / or \\")
        if self.output_name:
            try:
                clean_name(self.output_name)
            except NameRefused as refused:
                raise invalid("/output_name", refused.detail, refused.code) from refused
        if len(json.dumps(self.metadata)) > _METADATA_BYTES:
            raise invalid("/metadata", f"at most {_METADATA_BYTES} bytes of JSON", "too_large")
        if len(self.tags) > _TAGS or any(not 0 < len(tag) <= _TAG_LENGTH for tag in self.tags):
            raise invalid("/tags", f"at most {_TAGS} tags of 1 to {_TAG_LENGTH} characters")
        if self.webhook_url:
            try:
                netguard.check(self.webhook_url, url_policy())
            except netguard.Refused as refused:
                raise invalid("/webhook_url", refused.detail, refused.code) from refused


def submit(
    tenant: Tenant, asked: Submission, *, api_key: ApiKey | None = None, user: User | None = None
) -> Job:
    """Queue a job. Raises `Invalid`, naming each wrong field, before anything is written."""
    asked.check()
    planned = plan(tenant, asked.operation, asked.params, asked.device)
    with transaction.atomic():
        _hold(planned)
        job = Job.objects.create(
            tenant=tenant,
            api_key=api_key,
            user=user,
            operation=planned.operation.name,
            params=asked.params,
            output_name=asked.output_name and clean_name(asked.output_name),
            webhook_url=asked.webhook_url,
            metadata=asked.metadata,
            tags=asked.tags,
            priority=Priority[asked.priority.upper()],
            lane=planned.lane,
            device_asked=asked.device,
            memory_mb=planned.weight.memory_mb,
            scratch_mb=planned.weight.scratch_mb,
            max_attempts=1 + settings.JOB_MAX_RETRIES,
        )
        JobInput.objects.bulk_create(_inputs(job, planned))
        states.created(job)
        queue.wake(job.lane)
    return job


def _hold(planned: Planned) -> None:
    """Keep the inputs from being deleted between the look at them and the job's commit."""
    wanted = {each.file.pk for each in planned.inputs if each.file is not None}
    held = File.objects.published().filter(pk__in=wanted).select_for_update(no_key=True)
    if len(held) < len(wanted):
        raise Conflict("an input is being deleted", code="input_deleted")


def _inputs(job: Job, planned: Planned) -> list[JobInput]:
    return [
        JobInput(job=job, role=each.role, url=each.url, file=each.file) for each in planned.inputs
    ]


def cancel(job: Job) -> Job:
    """End ``job`` before its time: at once while queued, within seconds while running.

    Asking twice is no mistake; a job that completed or failed is a `Conflict`.
    """
    if not states.cancel_queued(job):
        running = Job.objects.filter(pk=job.pk, status="running")
        if running.update(cancel_requested_at=Now()):
            states.announce(job.id)
    job.refresh_from_db()
    if job.status in {"completed", "failed"}:
        raise Conflict(f"the job has already {job.status}", code="job_ended")
    return job


def retry(job: Job, *, api_key: ApiKey | None = None, user: User | None = None) -> Job:
    """Submit an ended job's request once more, as a new job: the old one's end stays as it is."""
    if not job.is_final:
        raise Conflict(f"the job is {job.status}; cancel it first", code="job_not_ended")
    if job.quarantined_at is not None:
        raise Conflict("the job kills its workers; ask the operators", code="job_quarantined")
    again = Submission(
        operation=job.operation,
        params=job.params,
        priority=Priority(job.priority).name.lower(),
        output_name=job.output_name,
        webhook_url=job.webhook_url,
        metadata=job.metadata,
        tags=job.tags,
        device=job.device_asked,
    )
    return submit(job.tenant, again, api_key=api_key, user=user)


def requeue(job: Job, *, user: User | None = None) -> Job:
    """Let a quarantined job run again, as a new job, and take it off the dead letters."""
    with transaction.atomic():
        dead = Job.objects.quarantined().select_for_update().filter(pk=job.pk)
        if not dead.update(quarantined_at=None):
            raise Conflict("the job is not quarantined", code="job_not_quarantined")
        job.refresh_from_db()
        return retry(job, user=user)


def delete(job: Job) -> None:
    """Delete an ended job together with the files it made."""
    if not job.is_final:
        raise Conflict(f"the job is {job.status}; cancel it first", code="job_not_ended")
    files = [output.file for output in job.outputs.select_related("file")]
    with transaction.atomic():
        job.delete()
    for file in files:
        # An output that another job is going to read stays until it expires.
        with suppress(store.InUse):
            store.remove(file)
