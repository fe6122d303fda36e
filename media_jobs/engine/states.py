"""Every change of a job's status: one conditional write, and one event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from accounts import audit
from accounts.audit_events import AuditEvent, Outcome
from media_jobs import events
from media_jobs.engine import lease
from media_jobs.models import Job, JobAttempt, Status
from media_jobs.models.slot import SILENT

# Outcomes of attempts that nobody brought to an end. Of a silence nobody knows the cause: the whole
# host may be gone. The other two were seen by the guard of the slot, which lived on.
WORKER_LOST = "worker lost"
WORKER_DIED = "worker died"
WORKER_HUNG = "worker hung"

ALLOWED: dict[str, frozenset[str]] = {
    # Only `ffapi_claim` makes a job run.
    Status.QUEUED: frozenset((Status.FAILED, Status.CANCELED)),
    Status.RUNNING: frozenset((Status.COMPLETED, Status.FAILED, Status.CANCELED, Status.QUEUED)),
}


@dataclass(frozen=True)
class Claimant:
    """Who asks for work, and what its host can still give to one more job."""

    slot: str
    host: str
    memory_mb: int
    """All that the jobs of the host may take together."""
    scratch_mb: int
    """Likewise on its scratch disk."""


_CLAIM = "SELECT * FROM ffapi_claim_job(%s, %s, %s, %s, %s, %s, %s, %s, %s)"


def claim(lane: str, by: Claimant) -> Job | None:
    """Take the next job of ``lane``: of the tenant that used least of late, by its rank.

    Its ``attempt`` is the fence from now on. None where no job is due, fits the caps of its tenant
    and key, and fits the host. The order is that of ``ffapi_claim`` in the database.
    """
    lease_s, half_life_s = float(settings.LEASE_SECONDS), _half_life_s()
    host = (lane, by.slot, by.host, lease_s, by.memory_mb, by.scratch_mb, half_life_s)
    wanted = (*host, settings.MAX_CONCURRENT_JOBS_PER_TENANT, SILENT)
    # A claim holds a lock that every other waits for, so by itself it is a single statement.
    with events.transaction_of(events.STARTED):
        job = next(iter(Job.objects.raw(_CLAIM, wanted)), None)
        if job is not None:
            events.tell(events.Event(events.STARTED, job.tenant_id, job))
    return job


def end(
    job: Job,
    status: Status,
    reason: str,
    *,
    outcome: str = "",
    write: Callable[[], None] = lambda: None,
    **values: Any,
) -> None:
    """End ``job.attempt`` in a final status. Raises `lease.Lost`; part of the caller's transaction.

    ``write`` adds other rows of the attempt: once the lease is held, for a try before may still be
    on its way, and before all that the job keeps is weighed. What somebody asked the end of is
    canceled, not failed: whatever went wrong, they got that.
    """
    own = values.get("usage", {})
    if usage := _with_earlier(job, own):
        values["usage"] = usage
    with transaction.atomic():
        is_cancel_requested = lease.hold(job)
        write()
        if is_cancel_requested and status == Status.FAILED:
            status, reason = Status.CANCELED, f"canceled; {reason}"
            values = {name: values[name] for name in values if name not in _OF_FAILURE}
        event = AuditEvent.JOB_QUARANTINED if "quarantined_at" in values else AuditEvent.JOB_ENDED
        _tell(job, event, status=status, reason=reason)
        _write(job, status, reason, values | _released() | {"finished_at": Now()})
        _close_attempt(job, outcome or status)
        _settle(job, own)


def give_back(  # noqa: PLR0913 -- when it is due again, and what is written with that
    job: Job,
    reason: str,
    *,
    delay_s: float = 0,
    charged: bool = True,
    outcome: str = "given back",
    write: Callable[[], None] = lambda: None,
    **at_end: Any,
) -> None:
    """Queue ``job`` again. An uncharged attempt does not count against ``max_attempts``.

    Where somebody asked for its end it is canceled instead, with the values ``at_end``. ``write``
    is as for `end`.
    """
    values: dict[str, Any] = _released() | {"progress": {}}
    if delay_s:  # else it keeps its place
        values["run_at"] = Now() + timedelta(seconds=delay_s)
    if not charged:
        values["max_attempts"] = F("max_attempts") + 1
    with transaction.atomic():
        is_cancel_requested = lease.hold(job)
        write()
        if is_cancel_requested:
            end(job, Status.CANCELED, f"canceled; {reason}", outcome=outcome, **at_end)
            return
        _tell(job, AuditEvent.JOB_GIVEN_BACK, status=Status.QUEUED, reason=reason)
        _write(job, Status.QUEUED, reason, values)
        _close_attempt(job, outcome)


def ended_itself(job: Job) -> bool:
    """Whether ``job.attempt`` was brought to its end by its own worker."""
    rows = JobAttempt.objects.filter(job=job, number=job.attempt, finished_at__isnull=False)
    return rows.exclude(outcome__in=(WORKER_LOST, WORKER_DIED, WORKER_HUNG)).exists()


def cancel_queued(job: Job) -> bool:
    """Cancel a job that has not started; tell whether it was still queued."""
    with transaction.atomic():
        waiting = Job.objects.select_for_update().filter(pk=job.pk, status=Status.QUEUED)
        found = waiting.first()
        if found is None:
            return False
        audit.record(AuditEvent.JOB_CANCELED, job.tenant_id, job.pk, details={"was": Status.QUEUED})
        values: dict[str, Any] = {"finished_at": Now()}
        if spent_s := _spent_s(found.attempts.all()):
            values["usage"] = {"cpu_seconds": spent_s}
        _write(found, Status.CANCELED, "canceled while queued", values)
        return True


_OF_FAILURE = frozenset(("error", "quarantined_at"))


def _released() -> dict[str, Any]:
    return {"lease_until": None, "slot": "", "host": ""}


def _half_life_s() -> float:
    return float(settings.FAIR_SHARE_HALF_LIFE_SECONDS)


def _settle(job: Job, usage: dict[str, Any]) -> None:
    """Correct what the claim charged to the tenant; an attempt without figures stays as charged."""
    if "cpu_seconds" not in usage:
        return
    used = (job.tenant_id, usage["cpu_seconds"], usage["wall_seconds"], _half_life_s())
    with connection.cursor() as cursor:
        cursor.execute("SELECT ffapi_settle(%s, %s, %s, %s)", used)


def _with_earlier(job: Job, usage: dict[str, Any]) -> dict[str, Any]:
    """Add the CPU time of the attempts before: the job cost that too, whatever came of it.

    An attempt that nobody measured, for its worker is gone, counts as what was reserved for it. The
    fair shares have the earlier ones already, for each claim charges them.
    """
    if job.attempt <= 1:
        return usage
    earlier_s = _spent_s(job.attempts.filter(number__lt=job.attempt))
    if "cpu_seconds" not in usage and not earlier_s:
        return usage
    own_s = usage.get("cpu_seconds", job.reserved_cpu_ms / 1000)
    return usage | {"cpu_seconds": round(own_s + earlier_s, 3)}


def _spent_s(attempts: QuerySet[JobAttempt]) -> float:
    told = attempts.values_list("receipt__cpu_seconds", flat=True)
    return round(sum(each or 0 for each in told), 3)


def _tell(job: Job, event: AuditEvent, *, status: Status, reason: str) -> None:
    """Have the audit log tell what a slot did."""
    told = {"status": status, "attempt": job.attempt, "slot": job.slot, "reason": reason}
    outcome = Outcome.FAILURE if status == Status.FAILED else Outcome.SUCCESS
    audit.record(event, job.tenant_id, job.pk, outcome=outcome, details=told)


def _write(job: Job, to: Status, reason: str, values: dict[str, Any]) -> None:
    """Write one allowed transition of a row that the caller has locked."""
    before = job.status
    if to not in ALLOWED.get(before, frozenset()):
        raise ValueError(f"{job.id}: {before} -> {to} is not a transition")
    Job.objects.filter(pk=job.pk).update(status=to, **values)
    job.status = to
    events.append(job, before=before, reason=reason, usage=values.get("usage", {}))


def _close_attempt(job: Job, outcome: str) -> None:
    rows = JobAttempt.objects.filter(job=job, number=job.attempt)
    rows.update(finished_at=Now(), outcome=outcome)
