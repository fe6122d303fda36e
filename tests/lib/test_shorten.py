from __future__ import annotations

import json
from typing import Any

import pytest

from ffapi_site.lib.shorten import fits, shorten, size_bytes, without_middle

MOST_BYTES = 10_000


@pytest.mark.parametrize("value", [None, 1, "a", [], {}, {"a": ["b", None, 1.5, True]}])
def test_what_fits_is_not_touched(value: Any) -> None:
    assert shorten(value, MOST_BYTES) is value


@pytest.mark.parametrize(
    "value",
    [
        "x" * 100_000,
        "é" * 100_000,
        "😀" * 100_000,
        ["x" * 50_000] * 3,
        list(range(100_000)),
        {str(number): number for number in range(100_000)},
        {"x" * 100_000: 1},
        {"streams": [{"tags": {"a": "x" * 9000}}] * 50},
        [[[[["x"] * 9] * 9] * 9] * 9] * 9,
    ],
)
def test_what_is_too_long_is_cut_to_json_that_fits(value: Any) -> None:
    cut = shorten(value, MOST_BYTES)
    assert fits(cut, MOST_BYTES)
    assert json.loads(json.dumps(cut)) == cut
    assert type(cut) is type(value)
    assert cut


def test_what_is_short_stays_beside_what_is_long() -> None:
    cut = shorten({"format": "matroska", "comment": "x" * 100_000}, MOST_BYTES)
    assert cut["format"] == "matroska"
    assert cut["comment"].startswith("xxx")
    assert cut["comment"].endswith("…")


def test_where_nothing_fits_it_is_empty() -> None:
    assert shorten(["x" * 100], 10) == []
    assert shorten({"x" * 100: 1}, 10) == {}


def test_size_is_never_less_than_what_is_stored() -> None:
    assert size_bytes("é😀") >= len('"é😀"'.encode())


@pytest.mark.parametrize("character", ["x", "é", "€", "😀"])
def test_a_text_keeps_its_head_and_its_tail(character: str) -> None:
    text = "begin" + character * 10_000 + "end"
    cut = without_middle(text, 1000)
    assert len(cut.encode()) <= 1000
    assert cut.startswith("begin")
    assert cut.endswith("end")
    assert "�" not in cut
    assert "left out" in cut


def test_a_text_that_fits_is_not_touched() -> None:
    assert without_middle("é" * 500, 1000) == "é" * 500
