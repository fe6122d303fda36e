"""Jobs and what carries them, as staff see and steer them."""

from __future__ import annotations

from media_jobs.admin import (
    dead_letters,
    devices,
    jobs,
    lanes,
    maintenance,
    slots,
    tenant_panels,
    webhooks,
)

__all__ = [
    "dead_letters",
    "devices",
    "jobs",
    "lanes",
    "maintenance",
    "slots",
    "tenant_panels",
    "webhooks",
]
