"""Every demand of ``docs/reliability.md`` is tried by what the page names."""

from __future__ import annotations

import re

import pytest

from chaos import faults
from tests.harness.server import ROOT

_PAGE = (ROOT / "docs" / "reliability.md").read_text()
_ROWS = re.findall(r"^\| (R\d+) \|.*\| (.+) \|$", _PAGE, re.MULTILINE)
# R11 to R13 and R21 belong to other parts of the platform.
_DEMANDED = [f"R{n}" for n in (*range(1, 11), *range(14, 21), *range(22, 36))]


def test_none_is_left_out() -> None:
    assert [row for row, _ in _ROWS] == _DEMANDED


@pytest.mark.parametrize(("row", "proofs"), _ROWS, ids=[row for row, _ in _ROWS])
def test_each_is_tried(row: str, proofs: str) -> None:
    actions = {fault.__name__: fault for fault in faults.ALL}
    for proof in re.findall(r"`([^`]+)`", proofs):
        if proof.startswith("tests/"):
            assert re.search(rf"\b{row}\b", (ROOT / proof).read_text()), f"{proof}: not {row}"
        else:
            assert re.match(rf"{row}\b", actions[proof].__doc__ or ""), f"{proof}: not {row}"
