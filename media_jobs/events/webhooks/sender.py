"""One event to one address, and what comes of it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from standardwebhooks import Webhook

from accounts import audit
from accounts.audit_events import AuditEvent, Outcome
from ffapi_site.lib import netguard
from ffapi_site.lib.backoff import doubled_s, jittered_s
from ffapi_site.lib.lengths import fitted
from ffapi_site.lib.url_policy import url_policy
from media_jobs.events.webhooks import receivers
from media_jobs.models import Job, WebhookDelivery

logger = logging.getLogger(__name__)

_TIMEOUT_S = 15
GIVE_UP_AFTER = timedelta(hours=72)
_FIRST_DELAY_S = 5.0
_LONGEST_DELAY_S = 6 * 3600.0
_GIVEN_UP_AT_ONCE = 1000


@dataclass(frozen=True)
class _Outcome:
    status: int | None = None
    error: str = ""
    retry_after_s: float | None = None

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """The receiver wants no event any more (410, as Standard Webhooks says)."""
        return self.status == HTTPStatus.GONE

    @property
    def is_failing(self) -> bool:
        """The receiver is away or overloaded: another event would fare no better now."""
        return (
            self.status is None or self.status == HTTPStatus.TOO_MANY_REQUESTS or self.status >= 500
        )


def deliver(delivery: WebhookDelivery) -> bool:
    """Post one event and write down what came of it; tell whether it was taken (any 2xx)."""
    try:
        outcome = _post(delivery)
    except netguard.Refused as refused:
        outcome = _Outcome(error=f"{refused.code}: {refused.detail}")
    except Exception:  # the boundary of one event: a secret that no key opens, above all
        logger.exception("An event could not be made", extra={"delivery": delivery.pk})
        outcome = _Outcome(error="internal_error: the event could not be made or signed")
    _record(delivery, outcome)
    return outcome.is_taken


def _post(delivery: WebhookDelivery) -> _Outcome:
    body = json.dumps(payload(delivery))
    answer = netguard.post(
        delivery.url,
        body.encode(),
        signed_headers(delivery, body),
        policy=url_policy(),
        timeout_s=_TIMEOUT_S,
    )
    return _Outcome(answer.status, retry_after_s=answer.retry_after_s)


def payload(delivery: WebhookDelivery) -> dict[str, Any]:
    job = delivery.job
    if job is None:
        at = delivery.created_at.isoformat()
        return {"type": delivery.event, "timestamp": at, "data": delivery.data}
    return {
        "type": delivery.event,
        "timestamp": (job.finished_at or delivery.created_at).isoformat(),
        "data": {
            "job_id": job.id,
            "operation": job.operation,
            "status": job.status,
            "error": job.error,
            "result": job.result,
            "metadata": job.metadata,
            "tags": job.tags,
            "outputs": _outputs(job),
        },
    }


def _outputs(job: Job) -> list[dict[str, Any]]:
    return [
        {
            "file": output.file.id,
            "role": output.role,
            "name": output.file.name,
            "size_bytes": output.file.size_bytes,
            "sha256": output.file.sha256,
        }
        for output in job.outputs.select_related("file")
    ]


def signed_headers(delivery: WebhookDelivery, body: str) -> dict[str, str]:
    """Standard Webhooks' headers: the same id in every attempt, a fresh time and signature."""
    now = timezone.now()
    signature = Webhook(delivery.tenant.webhook_secret).sign(delivery.id, now, body)
    return {
        "content-type": "application/json",
        "user-agent": "FFAPI-Webhook/1",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def _record(delivery: WebhookDelivery, outcome: _Outcome) -> None:
    delay_s = _delay_s(delivery.attempt, outcome.retry_after_s)
    is_over = outcome.is_taken or outcome.is_gone or _is_old(delivery)
    changes: dict[str, Any] = {
        "last_status": outcome.status,
        "last_error": fitted(WebhookDelivery, "last_error", outcome.error),
        "claimed_until": None,
        "next_attempt_at": None if is_over else Now() + timedelta(seconds=delay_s),
    }
    if outcome.is_taken:
        changes["delivered_at"] = Now()
    # Whoever claimed it since, or asked for it anew, is told nothing by an attempt before.
    claimed = WebhookDelivery.objects.filter(pk=delivery.pk, claimed_until=delivery.claimed_until)
    with transaction.atomic():
        is_ours = claimed.update(**changes) > 0
        receivers.note(delivery, is_failing=outcome.is_failing, pause_s=outcome.retry_after_s)
        if is_ours and is_over:
            _tell(delivery, outcome)
        if outcome.is_gone:
            _give_up_waiting(delivery, outcome)
    facts = {"delivery": delivery.id, "attempt": delivery.attempt, "status": outcome.status}
    logger.info("Tried a webhook", extra=facts | {"taken": outcome.is_taken})


def _is_old(delivery: WebhookDelivery) -> bool:
    return timezone.now() - delivery.created_at > GIVE_UP_AFTER


def _give_up_waiting(gone: WebhookDelivery, outcome: _Outcome) -> None:
    """Send nothing more of what waits for an address that wants no events."""
    waiting = WebhookDelivery.objects.filter(
        tenant_id=gone.tenant_id, url=gone.url, next_attempt_at__isnull=False
    )
    for delivery in waiting.select_for_update(skip_locked=True)[:_GIVEN_UP_AT_ONCE]:
        changed = waiting.filter(pk=delivery.pk)
        changed.update(next_attempt_at=None, last_status=outcome.status)
        _tell(delivery, outcome)


def _tell(delivery: WebhookDelivery, outcome: _Outcome) -> None:
    """Have the audit log tell how it ended."""
    audit.record(
        AuditEvent.WEBHOOK_DELIVERED if outcome.is_taken else AuditEvent.WEBHOOK_FAILED,
        delivery.tenant_id,
        delivery.pk,
        outcome=Outcome.SUCCESS if outcome.is_taken else Outcome.FAILURE,
        details={
            "job": delivery.job_id,
            "attempt": delivery.attempt,
            "status": outcome.status,
        },
    )


def redeliver(delivery: WebhookDelivery) -> None:
    """Send an event once more, under its old id, whether it was taken or given up."""
    with transaction.atomic():
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            next_attempt_at=Now(), delivered_at=None, claimed_until=None
        )
        receivers.close(delivery)  # whoever asks for it knows that the receiver is back
        told = {"job": delivery.job_id, "event": delivery.event}
        audit.record(AuditEvent.WEBHOOK_REDELIVERED, delivery.tenant_id, delivery.pk, details=told)


def _delay_s(attempt: int, asked_s: float | None) -> float:
    """Doubles up to six hours, with jitter so that a receiver's return is not a stampede.

    What the receiver asks for counts where it is longer, up to an hour: an event is not parked for
    a year.
    """
    own_s = doubled_s(_FIRST_DELAY_S, attempt, longest_s=_LONGEST_DELAY_S)
    return jittered_s(max(own_s, min(asked_s or 0.0, receivers.LONGEST_PAUSE_S)))
