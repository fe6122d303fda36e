"""Usage as CSV (RFC 4180). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.usage.report import Row
from ffapi_site.lib.csv_cells import csv_text


def write(group_by: str, found: Iterable[Row], currency: str) -> str:
    titles = (
        *(group_by, "name", "jobs", "completed", "failed", "canceled"),
        *("cpu_seconds", "wall_seconds", "input_bytes", "output_bytes", f"cost_{currency}"),
    )
    lines = [
        (
            *(row.key, row.name),
            *(row.sums[each] for each in ("jobs", "completed", "failed", "canceled")),
            *(row.sums[each] / 1000 for each in ("cpu_ms", "wall_ms")),
            *(row.sums["input_bytes"], row.sums["output_bytes"], row.cost),
        )
        for row in found
    ]
    return csv_text([titles, *lines])
