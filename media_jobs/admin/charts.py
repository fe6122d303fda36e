"""Bars, stacked, as the numbers that an SVG needs: the page draws them without a script."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import cached_property

WIDTH = 480
HEIGHT = 140
_GAP = 2
_LABELS = 6


@dataclass(frozen=True)
class Series:
    """``kind`` names what is counted, and its colour."""

    kind: str
    values: list[float]


@dataclass(frozen=True)
class Bar:
    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Chart:
    title: str
    labels: list[str]
    series: list[Series]

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def height(self) -> int:
        return HEIGHT

    @cached_property
    def most(self) -> float:
        """The tallest stack."""
        stacks = zip(*(each.values for each in self.series), strict=True)
        return max((sum(stack) for stack in stacks), default=0.0)

    @property
    def total(self) -> float:
        return sum(sum(each.values) for each in self.series)

    @property
    def summary(self) -> str:
        """What the picture shows, in words."""
        told = ", ".join(f"{each.kind} {sum(each.values):,.0f}" for each in self.series)
        return f"{self.title}: {told}; at most {self.most:,.0f} at once"

    @property
    def bars(self) -> list[Bar]:
        step = WIDTH / max(len(self.labels), 1)
        scale = HEIGHT / self.most if self.most else 0.0
        bars, tops = [], [0.0] * len(self.labels)
        for each in self.series:
            for place, value in enumerate(each.values):
                if not value:
                    continue
                tops[place] += value
                bars.append(
                    Bar(
                        each.kind,
                        x=round(place * step + _GAP / 2, 2),
                        y=round(HEIGHT - tops[place] * scale, 2),
                        width=round(step - _GAP, 2),
                        height=round(value * scale, 2),
                        title=f"{self.labels[place]}: {each.kind} {value:,.0f}",
                    )
                )
        return bars

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """A few labels below the bars, with where they stand."""
        step = WIDTH / max(len(self.labels), 1)
        every = max(len(self.labels) // _LABELS, 1)
        return [
            (round((place + 0.5) * step, 2), label)
            for place, label in enumerate(self.labels)
            if place % every == 0
        ]
