"""The ledger summed up: by day, by operation or by key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from accounts.models import ApiKey, UsageEntry
from accounts.usage import prices

GROUPS = ("day", "operation", "api_key")
_SUMS = ("cpu_ms", "wall_ms", "input_bytes", "output_bytes")
_OUTCOMES = ("completed", "failed", "canceled")
COUNTS = ("jobs", *_OUTCOMES, *_SUMS)


@dataclass(frozen=True)
class Period:
    """Whole days in UTC, both included."""

    first: date
    last: date

    @property
    def start(self) -> datetime:
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        after = self.last + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=UTC)

    @property
    def days(self) -> list[date]:
        number = (self.last - self.first).days + 1
        return [self.first + timedelta(days=day) for day in range(number)]


@dataclass(frozen=True)
class Row:
    """``name`` is what the group's key is called by people, where that is not the key itself."""

    key: str
    name: str
    sums: dict[str, int]
    cost: Decimal


def rows(entries: QuerySet[UsageEntry], period: Period, group_by: str) -> list[Row]:
    """Sum up what ended in ``period``. By day every day is there; else what cost most is first."""
    ended = entries.filter(ended_at__gte=period.start, ended_at__lt=period.end)
    group = {
        "day": TruncDate("ended_at", tzinfo=UTC),
        "operation": F("operation"),
        "api_key": F("api_key_id"),
    }[group_by]
    counts = {each: Count("pk", filter=Q(outcome=each)) for each in _OUTCOMES}
    sums = {each: Coalesce(Sum(each), 0) for each in _SUMS}
    found = ended.order_by().values(group=group).annotate(jobs=Count("pk"), **counts, **sums)
    told: dict[Any, dict[str, Any]] = {each["group"]: dict(each) for each in found}
    if group_by == "day":
        return [_row(day.isoformat(), "", told.get(day, {})) for day in period.days]
    names: dict[str, str] = {}
    if group_by == "api_key":
        keys = ApiKey.objects.filter(pk__in=[key for key in told if key])
        names = dict(keys.values_list("pk", "name"))
    made = [_row(key or "", names.get(key, ""), each) for key, each in told.items()]
    return sorted(made, key=lambda row: (-row.cost, -row.sums["cpu_ms"], row.key))


def total(found: Iterable[Row]) -> Row:
    rows_ = list(found)
    return _row("", "", {each: sum(row.sums[each] for row in rows_) for each in COUNTS})


def _row(key: str, name: str, sums: dict[str, Any]) -> Row:
    whole = {each: int(sums.get(each, 0)) for each in COUNTS}
    return Row(key, name, whole, prices.cost(whole))
