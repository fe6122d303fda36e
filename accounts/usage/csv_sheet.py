"""Usage as CSV (RFC 4180). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from accounts.usage.report import Row
from ffapi_site.lib.csv_cells import csv_text


def write(group_by: str, found: Iterable[Row], currency: str) -> str:
    titles = (
        *(group_by, "name", "jobs", "completed", "failed", "canceled"),
        *("cpu_seconds", "wall_seconds", "input_bytes", "output_bytes", f"cost_{currency}"),
    )
    return csv_text([titles, *map(tuple, map(_cells, found))])


def _cells(row: Row) -> Iterator[object]:
    sums = row.sums
    yield from (row.key, row.name)
    yield from (sums[each] for each in ("jobs", "completed", "failed", "canceled"))
    yield from (sums[each] / 1000 for each in ("cpu_ms", "wall_ms"))
    yield from (sums["input_bytes"], sums["output_bytes"], row.cost)
