"""What can be asked of jobs: submit, cancel, retry, delete. API, pages and admin all come here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.models import ApiKey, Tenant, User
from accounts.quotas import reservations
from ffapi_site.lib import labels, netguard
from ffapi_site.lib.lengths import length_of
from ffapi_site.lib.problems import Conflict, NotFound, TooManyRequests, at, invalid
from ffapi_site.lib.shorten import fits, size_bytes
from ffapi_site.lib.url_policy import url_policy
from media_jobs import events
from media_jobs.engine import job_retention, states, wakeups
from media_jobs.models import Job, JobInput, Priority, Status
from media_jobs.models.job import PARAMS_BYTES
from media_jobs.planning.plan import Planned, plan
from storage import store
from storage.names import clean_name

_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]+")
# What a job's row, its event and its input take besides what was asked for.
_PLAIN_JOB_BYTES = 2048


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

    def checked(self) -> Submission:
        """The same as it will be stored. Raises `Invalid` for what no operation could make good."""
        if self.priority.upper() not in Priority.names:
            raise invalid("/priority", "one of high, normal, low", "choice")
        if not fits(self.params, PARAMS_BYTES):
            raise invalid("/params", f"at most {PARAMS_BYTES} bytes of JSON", "too_large")
        with at("/metadata"):
            labels.check_metadata(self.metadata)
        with at("/tags"):
            labels.check_tags(self.tags)
        if self.webhook_url:
            with at("/webhook_url"):
                netguard.check(self.webhook_url, url_policy())
        return replace(self, output_name=_stored_name(self.output_name))


def _stored_name(given: str) -> str:
    """What is kept of a name, whose length counts: composed, it can have grown."""
    if not given:
        return ""
    longest = length_of(Job, "output_name")
    if len(given) > longest or not _NAME.fullmatch(given):
        detail = f"a file name of at most {longest} characters, without / or \\"
        raise invalid("/output_name", detail)
    with at("/output_name"):
        name = clean_name(given)
    if len(name) > longest:
        detail = f"composed (NFC) it has {len(name)} characters, and {longest} is the most"
        raise invalid("/output_name", detail, "name_too_long")
    return name


@dataclass(frozen=True)
class Why:
    """How a job comes to be, as the audit log tells it; ``of`` is the job that it repeats."""

    event: AuditEvent = AuditEvent.JOB_CREATED
    of: str = ""


_ASKED = Why()


def submit(
    tenant: Tenant,
    asked: Submission,
    *,
    api_key: ApiKey | None = None,
    user: User | None = None,
    why: Why = _ASKED,
) -> Job:
    """Queue a job. Raises `Invalid`, naming each wrong field, before anything is written."""
    asked = asked.checked()
    planned = plan(tenant, asked.operation, asked.params, asked.device, api_key=api_key)
    with transaction.atomic():
        _check_queue(tenant)
        job = Job.objects.create(
            tenant=tenant,
            api_key=api_key,
            user=user,
            operation=planned.operation.name,
            params=asked.params,
            output_name=asked.output_name,
            webhook_url=asked.webhook_url,
            metadata=asked.metadata,
            tags=asked.tags,
            priority=Priority[asked.priority.upper()],
            lane=planned.lane,
            device_asked=asked.device,
            memory_mb=planned.weight.memory_mb,
            scratch_mb=planned.weight.scratch_mb,
            reserved_cpu_ms=planned.weight.cpu_ms,
            row_bytes=_PLAIN_JOB_BYTES + size_bytes(asked.params) + size_bytes(asked.metadata),
            max_attempts=1 + settings.JOB_MAX_RETRIES,
        )
        _give(job, planned)
        wakeups.wake(job.lane)
        told = {"operation": job.operation, "priority": asked.priority, "lane": job.lane}
        again = {"of": why.of} if why.of else {}
        audit.record(why.event, job.tenant_id, job.pk, details=told | again)
        events.tell(events.Event(events.SUBMITTED, job.tenant_id, job))
        # Last: from here to the commit others of the tenant wait, where it has limits.
        reservations.reserve_job(
            reservations.Begun(
                tenant_id=job.tenant_id,
                api_key_id=job.api_key_id,
                submitted_at=job.created_at,
                cpu_ms=job.reserved_cpu_ms,
                row_bytes=job.row_bytes,
            )
        )
    return job


def _check_queue(tenant: Tenant) -> None:
    """Raise `TooManyRequests` where as many jobs wait as may; who asks at the same time waits."""
    if tenant.max_queued_jobs is None:
        return
    limit = Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk).max_queued_jobs
    waiting = Job.objects.for_tenant(tenant).filter(status=Status.QUEUED).count()
    if limit is not None and waiting >= limit:
        raise TooManyRequests(
            f"{waiting} jobs are waiting, which is as many as may",
            code="queue_full",
            headers={"Retry-After": "10"},
        )


# A file stays until the job's commit from here on: whoever deletes it locks it first. Whoever locks
# several does so by their ids, whatever order they are read in.
_GIVE = """
WITH kept AS MATERIALIZED (
    SELECT id FROM storage_file WHERE id = ANY(%s) AND published_at IS NOT NULL
    ORDER BY id FOR NO KEY UPDATE)
INSERT INTO media_jobs_jobinput (job_id, role, url, file_id)
SELECT %s, role, url, file FROM unnest(%s::text[], %s::text[], %s::text[])
    WITH ORDINALITY AS wanted (role, url, file, number)
WHERE file IS NULL OR file IN (SELECT id FROM kept)
ORDER BY number
"""


def _give(job: Job, planned: Planned) -> None:
    """Write down the inputs of ``job``, none of which was deleted since they were looked at."""
    inputs = planned.inputs
    roles, urls = [each.role for each in inputs], [each.url for each in inputs]
    files = [each.file.pk if each.file else None for each in inputs]
    with connection.cursor() as cursor:
        cursor.execute(_GIVE, (files, job.pk, roles, urls, files))
        if cursor.rowcount < len(inputs):
            raise Conflict("an input is being deleted", code="input_deleted")
    job.just_given = [JobInput(job=job, role=e.role, url=e.url, file=e.file) for e in inputs]


def cancel(job: Job) -> Job:
    """End ``job`` before its time: at once while queued, within seconds while running.

    Asking twice is no mistake; a job that completed or failed is a `Conflict`, and `NotFound` one
    that was deleted meanwhile.
    """
    if not states.cancel_queued(job):
        running = Job.objects.filter(pk=job.pk, status=Status.RUNNING, cancel_requested_at=None)
        told = {"was": Status.RUNNING}
        with transaction.atomic():
            if running.update(cancel_requested_at=Now()):
                events.tell(events.Event(events.CANCEL_REQUESTED, job.tenant_id, job))
                audit.record(AuditEvent.JOB_CANCELED, job.tenant_id, job.pk, details=told)
    try:
        job.refresh_from_db()
    except Job.DoesNotExist as gone:
        raise NotFound from gone
    if job.status in {Status.COMPLETED, Status.FAILED}:
        raise Conflict(f"the job has already {job.status}", code="job_ended")
    return job


def retry(
    job: Job,
    *,
    api_key: ApiKey | None = None,
    user: User | None = None,
    event: AuditEvent = AuditEvent.JOB_RETRIED,
) -> Job:
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
    return submit(job.tenant, again, api_key=api_key, user=user, why=Why(event, of=job.pk))


def requeue(job: Job, *, user: User | None = None) -> Job:
    """Let a quarantined job run again, as a new job, and take it off the dead letters."""
    with transaction.atomic():
        dead = Job.objects.quarantined().select_for_update().filter(pk=job.pk)
        if not dead.update(quarantined_at=None):
            raise Conflict("the job is not quarantined", code="job_not_quarantined")
        job.refresh_from_db()
        return retry(job, user=user, event=AuditEvent.JOB_REQUEUED)


def delete(job: Job) -> None:
    """Delete an ended job together with the files it made.

    An output that another job is going to read stays until it expires.
    """
    if not job.is_final:
        raise Conflict(f"the job is {job.status}; cancel it first", code="job_not_ended")
    with transaction.atomic():
        if not job_retention.hold(job):  # before its files
            return
        gone, kept = [], []
        for output in job.outputs.select_related("file").order_by("file_id"):
            try:
                store.hide(output.file, event=None)
                gone.append(output.file)
            except store.InUse:
                kept.append(output.file)
        told = {
            "operation": job.operation,
            "status": job.status,
            "files": [file.pk for file in gone],
            "kept_files": [file.pk for file in kept],
        }
        job_retention.forget(job, AuditEvent.JOB_DELETED, told)
    for file in gone:
        store.remove(file, event=None)


def needed_to_delete(job: Job) -> tuple[str, ...]:
    """The scopes that it takes: whoever deletes a job deletes the files that it made."""
    return ("jobs:cancel", "files:delete") if job.outputs.exists() else ("jobs:cancel",)
