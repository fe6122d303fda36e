"""What has happened, and who is told of it: the door between a change and all that hangs on it.

Whoever changes a job's status calls `append`. What is written by a row of its own calls `tell`: the
database writes the event of a submission (a trigger of `Job`) and of a claim (``ffapi_claim``), a
wish to cancel is a column of its job, an alert of a quota is a `QuotaAlert`. Who is told stands in
`media_jobs.apps`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from ffapi_site.lib.lengths import fitted
from media_jobs.models import Job, JobEvent, Status
from media_jobs.models.job import FINAL


def _kind(status: str) -> str:
    return f"job.{status}"


SUBMITTED = "job.submitted"
STARTED = _kind(Status.RUNNING)
GIVEN_BACK = _kind(Status.QUEUED)
CANCEL_REQUESTED = "job.cancel_requested"
ENDED = frozenset(map(_kind, FINAL))


@dataclass(frozen=True)
class Event:
    """Something that happened to a tenant, and mostly to a job of its."""

    kind: str
    tenant_id: str
    job: Job | None = None
    """As whoever changed it has it in hand: what else its row says may be older."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Of a change of status ``usage``, what the job has cost; of an alert what the tenant reads."""


@dataclass(frozen=True)
class Subscriber:
    """Who is told of events of some kinds, each in the transaction of its change.

    ``receive`` writes rows; what is slow, mail and network above all, follows them after the
    commit. What it raises undoes the change.
    """

    receive: Callable[[Event], None]
    kinds: frozenset[str]


subscribers: tuple[Subscriber, ...] = ()
"""In the order in which they are told."""


def append(job: Job, *, before: str, reason: str, usage: Mapping[str, Any]) -> None:
    """Write down that ``job`` came from the status ``before`` to the one it has, and tell of it.

    Part of the transaction of that change.
    """
    JobEvent.objects.create(
        job=job,
        from_status=before,
        to_status=job.status,
        attempt=job.attempt,
        reason=fitted(JobEvent, "reason", reason),
    )
    tell(Event(_kind(job.status), job.tenant_id, job, {"usage": usage}))


def tell(event: Event) -> None:
    """Tell the subscribers of what is written down already, in the same transaction."""
    for each in subscribers:
        if event.kind in each.kinds:
            each.receive(event)


def transaction_of(kind: str) -> AbstractContextManager[Any]:
    """Give a transaction where a subscriber wants this kind, else none.

    For a change that is one statement, which should not wait for a COMMIT that nobody needs.
    """
    is_wanted = any(kind in each.kinds for each in subscribers)
    return transaction.atomic() if is_wanted else nullcontext()
