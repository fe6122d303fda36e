"""CPU time by day as bars of an SVG that the server draws. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.usage.report import Row

WIDTH = 720
HEIGHT = 180
_LEFT = 56
_BOTTOM = 22
_TOP = 8
_GAP = 0.25


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    title: str
    """What the pointer, and a screen reader, are told."""


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    days: list[Tick]
    levels: list[Tick]
    unit: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    foot: int = HEIGHT - _BOTTOM

    @property
    def is_empty(self) -> bool:
        return not any(bar.height for bar in self.bars)


def chart_of(days: Sequence[Row]) -> Chart:
    """One bar a day; the scale ends at a round number above the highest."""
    values = [row.sums["cpu_ms"] / 1000 for row in days]
    most_s = max(values, default=0.0)
    unit, seconds = ("h", 3600) if most_s >= 7200 else ("min", 60) if most_s >= 120 else ("s", 1)
    top = _round_above(most_s / seconds) or 1.0
    step = (WIDTH - _LEFT) / max(len(days), 1)
    width = round(step * (1 - _GAP), 1)
    room = HEIGHT - _BOTTOM - _TOP
    bars = []
    for place, (row, value) in enumerate(zip(days, values, strict=True)):
        tall = room * value / seconds / top
        jobs = row.sums["jobs"]
        title = f"{row.key}: {value / seconds:.1f} {unit} CPU, {jobs} job{'' if jobs == 1 else 's'}"
        x = _LEFT + step * (place + _GAP / 2)
        y = HEIGHT - _BOTTOM - tall
        bars.append(Bar(round(x, 1), round(y, 1), width, round(tall, 1), title))
    every = max(1, math.ceil(len(days) / 8))
    shown = [(place, row.key[5:]) for place, row in enumerate(days) if place % every == 0]
    return Chart(
        bars=bars,
        days=[Tick(round(_LEFT + step * (place + 0.5), 1), text) for place, text in shown],
        levels=[
            Tick(round(HEIGHT - _BOTTOM - room * part, 1), f"{top * part:g}")
            for part in (0, 0.5, 1)
        ],
        unit=unit,
    )


def _round_above(value: float) -> float:
    """The next of 1, 2, 4, 6, 8, 10, 20, 40 and so on: its half is round as well."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 4, 6, 8, 10) if factor * power >= value * 0.999)
