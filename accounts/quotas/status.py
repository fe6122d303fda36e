"""How somebody stands with one limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.quotas import windows
from accounts.quotas.catalogue import Quota


@dataclass(frozen=True)
class Standing:
    """Amounts are in what the counter counts; ``limit`` is in the quota's own unit."""

    subject: str
    quota: Quota
    limit: int | None
    used: int
    reserved: int
    window_start: datetime

    @property
    def resets_at(self) -> datetime | None:
        return windows.end_of(self.quota.window, self.window_start)

    @property
    def is_of_key(self) -> bool:
        return self.subject.startswith("key_")

    @property
    def counted(self) -> int:
        return self.used + self.reserved

    @property
    def counted_limit(self) -> int:
        return (self.limit or 0) * self.quota.scale

    @property
    def taken(self) -> float:
        return self.in_unit(self.counted)

    @property
    def percent(self) -> int | None:
        """Of the limit, rounded down; None where there is none."""
        if self.limit is None:
            return None
        return int(100 * self.taken / self.limit) if self.limit else 100

    @property
    def level(self) -> str:
        """How near the limit is, as pages colour it."""
        percent = self.percent or 0
        return "full" if percent >= 100 else "high" if percent >= 80 else ""

    def in_unit(self, amount: int) -> float:
        """Whole where a unit of the counter is one of the quota."""
        scale = self.quota.scale
        return amount if scale == 1 else round(amount / scale, 3)
