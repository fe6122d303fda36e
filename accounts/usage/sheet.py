"""Usage as CSV (RFC 4180). Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from accounts.usage.report import Row

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(group_by: str, found: Iterable[Row], currency: str) -> str:
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(
        (
            *(group_by, "name", "jobs", "completed", "failed", "canceled"),
            *("cpu_seconds", "wall_seconds", "input_bytes", "output_bytes", f"cost_{currency}"),
        )
    )
    for row in found:
        sums = row.sums
        sheet.writerow(
            (
                *(_text(row.key), _text(row.name)),
                *(sums[each] for each in ("jobs", "completed", "failed", "canceled")),
                *(sums[each] / 1000 for each in ("cpu_ms", "wall_ms")),
                *(sums["input_bytes"], sums["output_bytes"], row.cost),
            )
        )
    return out.getvalue()


def _text(value: str) -> str:
    """A spreadsheet runs what begins like a formula; an apostrophe makes it text."""
    return f"'{value}" if value.startswith(_FORMULA) else value
