from __future__ import annotations

import csv
import io

import pytest

from ffapi_site.lib.cells import csv_text


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
        ("a=b; c", "a=b; c"),
        ("", ""),
        (None, ""),
        (-7, "-7"),
    ],
)
def test_a_cell_computes_nothing(value: object, shown: str) -> None:
    assert list(csv.reader(io.StringIO(csv_text([[value]]), newline=""))) == [[shown]]


def test_every_cell_is_quoted() -> None:
    assert csv_text([["a", 7, 'b"c']]) == '"a","7","b""c"\r\n'
