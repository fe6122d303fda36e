from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

import pytest
from django.conf import settings

from ffapi_site.lib.csv_cells import csv_text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        (" =1", "' =1"),
        ("\uff1d1", "'\uff1d1"),
        ("\uff20SUM(1)", "'\uff20SUM(1)"),
        ("a;=1", "a;'=1"),
        ("a\n@x", "a\n'@x"),
        ("\t=1", "'\t'=1"),
        ("x;=HYPERLINK(0)", "x;'=HYPERLINK(0)"),
        ("|cmd", "'|cmd"),
        ("\r\n+1", "'\r'\n'+1"),
        ("\uff5c1", "'\uff5c1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff051", "'\uff051"),
        ("%1", "'%1"),
        ("\u2060=1", "'\u2060=1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("\u200b -1", "'\u200b -1"),
        ("a=b; c", "a=b; c"),
        ("", ""),
        (None, ""),
        (-7, "-7"),
        (Decimal("-0.5"), "-0.5"),
    ],
)
def test_a_cell_computes_nothing(value: object, shown: str) -> None:
    assert list(csv.reader(io.StringIO(csv_text([[value]]), newline=""))) == [[shown]]


def test_every_cell_is_quoted() -> None:
    assert csv_text([["a", 7, 'b"c']]) == '"a","7","b""c"\r\n'


def test_nothing_else_writes_csv() -> None:
    """Each way to write cells by oneself is a second table of what must be escaped."""
    by_itself = re.compile(r"\bcsv\.(writer|DictWriter)|\bimport csv\b|from csv |openpyxl|xlsx")
    packages = ("accounts", "bench", "chaos", "ffapi_site", "media_jobs", "storage")
    sources = [path for each in packages for path in (settings.BASE_DIR / each).rglob("*.py")]
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for path in sources
        if by_itself.search(path.read_text())
    }
    assert found == {"ffapi_site/lib/csv_cells.py"}
