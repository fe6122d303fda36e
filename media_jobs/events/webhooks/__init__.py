"""Webhooks: rows of ``WebhookDelivery`` on their way to tenants' addresses.

No receiver holds up another's events: tenants take turns, each with a bounded number on the way,
and a receiver that fails is left alone for a while.
"""

from __future__ import annotations

from media_jobs.events.webhooks.outbox import queue
from media_jobs.events.webhooks.rounds import Rounds
from media_jobs.events.webhooks.sender import deliver, payload, redeliver, signed_headers
from media_jobs.events.webhooks.turns import claim, forget_old

__all__ = [
    "Rounds",
    "claim",
    "deliver",
    "forget_old",
    "payload",
    "queue",
    "redeliver",
    "signed_headers",
]
