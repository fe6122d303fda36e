"""The ratios of the last run, with which the next one is compared."""

from __future__ import annotations

import json

from bench.figure import Figure
from bench.site import ROOT

_LAST = ROOT / "var" / "last-bench.json"
_WORSE = 1.2  # what two runs of the same code may differ by on a machine that is shared


def read() -> dict[str, float]:
    """By the figures' names; empty where there was none."""
    if not _LAST.exists():
        return {}
    return {name: kept["ratio"] for name, kept in json.loads(_LAST.read_text()).items()}


def keep(figures: list[Figure]) -> None:
    """Write down those that were measured, beside those that were not this time."""
    known = json.loads(_LAST.read_text()) if _LAST.exists() else {}
    for each in figures:
        known[each.name] = {
            "ratio": each.ratio,
            "ours": each.ours,
            "yardstick": each.yardstick,
            "met": each.is_met,
        }
    _LAST.parent.mkdir(exist_ok=True)
    _LAST.write_text(json.dumps(known, indent=2) + "\n")


def compared(figure: Figure, before: dict[str, float]) -> str:
    """Say that it is worse than the last time; empty where it is not, or where there was none."""
    last = before.get(figure.name)
    if last is None or figure.ratio <= _WORSE * last:
        return ""
    return f"WORSE: it was {last:.2f}"
