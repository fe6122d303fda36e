"""What usage costs: figures to look at, from a table in the settings. Pure but for reading it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from django.conf import settings

_CENT = Decimal("0.0001")
_GB = Decimal(10**9)


def cost(row: Mapping[str, int]) -> Decimal:
    """What a row of sums costs: ``jobs``, ``cpu_ms``, ``input_bytes`` and ``output_bytes``."""
    prices: dict[str, Decimal] = settings.USAGE_PRICES
    amounts = {
        "job": Decimal(row["jobs"]),
        "cpu_hour": Decimal(row["cpu_ms"]) / 3_600_000,
        "input_gb": row["input_bytes"] / _GB,
        "output_gb": row["output_bytes"] / _GB,
    }
    total = sum((prices.get(unit, Decimal(0)) * amounts[unit] for unit in amounts), Decimal(0))
    return total.quantize(_CENT, ROUND_HALF_EVEN)
