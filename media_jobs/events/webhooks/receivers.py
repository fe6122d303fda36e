"""A circuit breaker for each receiver of a tenant."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from ffapi_site.lib.backoff import doubled_s
from media_jobs.models import WebhookDelivery, WebhookEndpoint

FAILURES_THAT_OPEN = 3
LONGEST_PAUSE_S = 3600.0
_FIRST_PAUSE_S = 15.0
_LONGEST_OWN_PAUSE_S = 600.0

# SQL: the receiver of a delivery, as its address writes host and port. The one place that tells:
# where two told it in two ways, an address could have them count for different receivers.
ORIGIN = r"lower(left(substring(url FROM '^[^/]*//([^/?#\\]*)'), 300))"
_ORIGIN_OF = f"(SELECT {ORIGIN} FROM media_jobs_webhookdelivery WHERE id = %s)"  # noqa: S608


def note(delivery: WebhookDelivery, *, is_failing: bool, pause_s: float | None) -> None:
    """Write down how the receiver of ``delivery`` answered; part of the caller's transaction.

    The third failure in a row opens its circuit, each further one for twice as long; so does, at
    once, a receiver that fails and says for how long (``pause_s``).
    """
    row = _of(delivery).select_for_update().first()
    if row is None:
        return
    if not is_failing:
        _of(delivery).update(failures=0, open_until=None)
        return
    failures = row.failures + 1
    pause = max(_pause_s(failures), min(pause_s or 0.0, LONGEST_PAUSE_S))
    until = Now() + timedelta(seconds=pause) if pause else None
    _of(delivery).update(failures=F("failures") + 1, open_until=until)


def close(delivery: WebhookDelivery) -> None:
    """Let the receiver of ``delivery`` be tried at once."""
    _of(delivery).update(failures=0, open_until=None)


def _pause_s(failures: int) -> float:
    if failures < FAILURES_THAT_OPEN:
        return 0.0
    since_open = failures - FAILURES_THAT_OPEN + 1
    return doubled_s(_FIRST_PAUSE_S, since_open, longest_s=_LONGEST_OWN_PAUSE_S)


def _of(delivery: WebhookDelivery) -> models.QuerySet[WebhookEndpoint]:
    origin = RawSQL(_ORIGIN_OF, [delivery.pk])  # noqa: S611 -- a constant
    return WebhookEndpoint.objects.filter(tenant_id=delivery.tenant_id, origin=origin)
