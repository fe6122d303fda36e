"""An event becomes a row that is sent once its transaction is committed."""

from __future__ import annotations

from accounts.models import Tenant
from media_jobs.events import Event
from media_jobs.models import WebhookDelivery


def queue(event: Event) -> None:
    """Queue ``event`` for the address that its job named; of no job, for the tenant's own.

    Nothing is queued where there is no address.
    """
    if url := event.job.webhook_url if event.job else _address_of(event.tenant_id):
        WebhookDelivery.objects.create(
            tenant_id=event.tenant_id,
            job=event.job,
            url=url,
            event=event.kind,
            # A job is told as it is when the event is sent.
            data={} if event.job else event.data,
        )


def _address_of(tenant_id: str) -> str:
    return Tenant.objects.values_list("alert_webhook_url", flat=True).get(pk=tenant_id)
