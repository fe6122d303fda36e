"""Rows as CSV that a spreadsheet shows and never computes: the one way to write CSV here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"), in full width
# too, after spaces and what has no width; where lists are separated by ";", a cell may begin anew
# within a text. What ends the look ahead may begin one: of many in a row each looks at the next.
_FORMULA = re.compile(
    r"(^|[;\t\r\n])"
    r"(?=(?:[^\S\t\r\n]|[\u200b\u2060\ufeff])*+[=+\-@|%\t\r\n\uff1d\uff0b\uff0d\uff20\uff5c\uff05])"
)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(
        [
            value
            if isinstance(value, int | float | Decimal)
            else _FORMULA.sub(r"\1'", "" if value is None else str(value))
            for value in row
        ]
        for row in rows
    )
    return written.getvalue()
