"""Webhooks: rows of ``WebhookDelivery`` on their way to tenants' addresses."""

from __future__ import annotations

import json
import logging
import random
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from standardwebhooks import Webhook

from accounts import audit
from accounts.events import Event, Outcome
from ffapi_site.lib import netguard
from ffapi_site.lib.outbound import url_policy
from media_jobs.models import Job, WebhookDelivery

logger = logging.getLogger(__name__)

_TIMEOUT_S = 15
_LEASE_S = 60  # longer than one attempt: then another courier may try
_GIVE_UP_AFTER = timedelta(hours=72)
_FIRST_DELAY_S = 5.0
_LONGEST_DELAY_S = 6 * 3600.0


def claim() -> WebhookDelivery | None:
    """Take the next delivery that is due, and keep others off it for a minute."""
    with transaction.atomic():
        rows = WebhookDelivery.objects.due().select_for_update(skip_locked=True, of=("self",))
        delivery = rows.select_related("job", "tenant").first()
        if delivery is not None:
            later = Now() + timedelta(seconds=_LEASE_S)
            changes = {"next_attempt_at": later, "attempt": F("attempt") + 1}
            WebhookDelivery.objects.filter(pk=delivery.pk).update(**changes)
            delivery.attempt += 1
        return delivery


def deliver(delivery: WebhookDelivery) -> bool:
    """Post one event and write down what came of it; tell whether it was taken (any 2xx)."""
    body = json.dumps(payload(delivery))
    status, error = None, ""
    try:
        answer = netguard.post(
            delivery.url,
            body.encode(),
            signed_headers(delivery, body),
            policy=url_policy(),
            timeout_s=_TIMEOUT_S,
        )
        status = answer.status
        taken = 200 <= status < 300
    except netguard.Refused as refused:
        taken, error = False, f"{refused.code}: {refused.detail}"
    _record(delivery, taken=taken, status=status, error=error)
    return taken


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


def _record(delivery: WebhookDelivery, *, taken: bool, status: int | None, error: str) -> None:
    changes: dict[str, Any] = {"last_status": status, "last_error": error[:300]}
    if taken:
        changes |= {"delivered_at": Now(), "next_attempt_at": None}
    elif timezone.now() - delivery.created_at > _GIVE_UP_AFTER:
        changes["next_attempt_at"] = None
    else:
        changes["next_attempt_at"] = Now() + timedelta(seconds=_delay_s(delivery.attempt))
    with transaction.atomic():
        WebhookDelivery.objects.filter(pk=delivery.pk).update(**changes)
        if taken or changes["next_attempt_at"] is None:
            _tell(delivery, taken=taken, status=status)
    facts = {"delivery": delivery.id, "attempt": delivery.attempt, "status": status}
    logger.info("Tried a webhook", extra=facts | {"taken": taken})


def _tell(delivery: WebhookDelivery, *, taken: bool, status: int | None) -> None:
    """Have the audit log tell how it ended."""
    audit.record(
        Event.WEBHOOK_DELIVERED if taken else Event.WEBHOOK_FAILED,
        delivery.tenant_id,
        delivery.pk,
        outcome=Outcome.SUCCESS if taken else Outcome.FAILURE,
        details={"job": delivery.job_id, "attempt": delivery.attempt, "status": status},
    )


def redeliver(delivery: WebhookDelivery) -> None:
    """Send an event once more, under its old id, whether it was taken or given up."""
    with transaction.atomic():
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            next_attempt_at=Now(), delivered_at=None
        )
        told = {"job": delivery.job_id, "event": delivery.event}
        audit.record(Event.WEBHOOK_REDELIVERED, delivery.tenant_id, delivery.pk, details=told)


def _delay_s(attempt: int) -> float:
    """Doubles up to six hours, with jitter so that a receiver's return is not a stampede."""
    delay_s: float = min(_FIRST_DELAY_S * 2.0 ** (attempt - 1), _LONGEST_DELAY_S)
    return delay_s * random.uniform(0.8, 1.2)  # noqa: S311 -- jitter, not a secret
