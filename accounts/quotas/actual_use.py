"""What the counters have to say, told by the rows that they count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from accounts.models import StorageHold, UsageEntry
from accounts.quotas import hooks, windows
from accounts.quotas.catalogue import (
    CPU_PER_MONTH,
    JOBS_PER_DAY,
    JOBS_PER_HOUR,
    QUOTAS,
    STORAGE,
    Window,
)


@dataclass(frozen=True)
class Figure:
    used: int = 0
    reserved: int = 0


def figures(
    tenant_id: str, api_key_id: str | None, starts: Mapping[Window, datetime]
) -> dict[str, Figure]:
    """Count for a tenant, or one of its keys, in the windows that began at ``starts``."""
    whose = Q(tenant_id=tenant_id)
    if api_key_id is not None:
        whose &= Q(api_key_id=api_key_id)
    ended = _work(UsageEntry.objects.filter(whose), starts, did_run=Q(did_run=True))
    going = _work(hooks.open_work().filter(whose), starts, did_run=Q())
    kept = _bytes(hooks.stored().filter(whose)) + _bytes(hooks.kept_rows().filter(whose))
    held = _bytes(StorageHold.objects.filter(whose))
    found = {name: Figure(ended[name], going[name]) for name in ended}
    return found | {STORAGE: Figure(kept, held)}


def _bytes(rows: QuerySet[Any]) -> int:
    return int(rows.aggregate(bytes=Sum("size_bytes"))["bytes"] or 0)


def _work(rows: QuerySet[Any], starts: Mapping[Window, datetime], *, did_run: Q) -> dict[str, int]:
    def within(name: str) -> Q:
        window = QUOTAS[name].window
        start = starts[window]
        return Q(submitted_at__gte=start, submitted_at__lt=windows.end_of(window, start))

    # The month's rows hold the day's and the hour's.
    found = rows.filter(within(CPU_PER_MONTH)).aggregate(
        **{
            JOBS_PER_HOUR: Count("pk", filter=within(JOBS_PER_HOUR) & did_run),
            JOBS_PER_DAY: Count("pk", filter=within(JOBS_PER_DAY) & did_run),
            CPU_PER_MONTH: Sum("cpu_ms"),
        }
    )
    return {name: int(number or 0) for name, number in found.items()}


def going_on(tenant_id: str, api_key_id: str | None) -> tuple[int, int]:
    """How many jobs run, and how many wait."""
    rows = hooks.open_work().filter(tenant_id=tenant_id)
    if api_key_id is not None:
        rows = rows.filter(api_key_id=api_key_id)
    found = rows.aggregate(
        running=Count("pk", filter=Q(is_running=True)),
        waiting=Count("pk", filter=Q(is_running=False)),
    )
    return found["running"], found["waiting"]
