"""What the quotas ask of the apps above; they fill these in from their ``ready()``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from accounts.models import QuotaAlert, UsageEntry


def _no_rows() -> QuerySet[Any]:
    return UsageEntry.objects.none()


def _nobody(_alert: QuotaAlert) -> None:
    """Without an app that sends events an alert is only mailed."""


open_work: Callable[[], QuerySet[Any]] = _no_rows
"""The work that has not ended: rows of ``tenant_id``, ``api_key_id``, ``submitted_at``,
``cpu_ms`` (as reserved) and ``is_running``."""

stored: Callable[[], QuerySet[Any]] = _no_rows
"""What is stored: rows of ``tenant_id``, ``api_key_id`` and ``size_bytes``."""

kept_rows: Callable[[], QuerySet[Any]] = _no_rows
"""What takes room in the database: rows as those of ``stored``."""

announce: Callable[[QuotaAlert], None] = _nobody
"""Tell the tenant's own systems of an alert; part of the transaction that it belongs to."""
