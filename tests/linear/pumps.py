"""Texts that make a pattern try much: derived from its own parts, so that no case need be known.

For whatever is repeated in it: what leads there, then what is repeated, or stands beside it, over
and over, then something that does not go on. And its own literals over and over, as beginnings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

Item = tuple[Any, Any]
_REPEATS = {ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT}
_LOOKS = {ops.ASSERT, ops.ASSERT_NOT}
_ENDS = ("", "\0", "x\nx")
_MOST_PUMPS = 150
_SAMPLES = "ax0 .\n<\"'{}/-=:,;\0é"
_CATEGORIES = {
    ops.CATEGORY_DIGIT: "0",
    ops.CATEGORY_SPACE: " ",
    ops.CATEGORY_WORD: "a",
    ops.CATEGORY_NOT_DIGIT: "a",
    ops.CATEGORY_NOT_SPACE: "a",
    ops.CATEGORY_NOT_WORD: " ",
}


@dataclass(frozen=True)
class Pump:
    before: str
    unit: str
    after: str

    def text(self, size: int) -> str:
        return self.before + self.unit * max(1, size // len(self.unit)) + self.after


def of(pattern: re.Pattern[Any]) -> list[Pump]:
    source = pattern.pattern
    tree = _parser.parse(source, pattern.flags & ~re.DEBUG)
    found = dict.fromkeys(_pumps(list(tree), "", _sample(tree, 1)))
    return [pump for pump in found if pump.unit][:_MOST_PUMPS]


def _pumps(items: Sequence[Item], before: str, whole: str) -> Iterator[Pump]:
    for place, (op, value) in enumerate(items):
        led = before + _sample(items[:place], 1)
        inside = _inside(op, value)
        if op in _REPEATS and value[1] > 8:
            follows = _sample(items[place + 1 :], 1)
            for unit in _units(items, place, follows):
                yield from (Pump(led, unit, end) for end in (*_ENDS, follows))
                yield Pump(f"{led}x", unit, "x")
        for each in inside:
            yield from _pumps(list(each), led, _sample(each, 1))
    for literal in (whole, *_literals(items)):
        yield from (Pump(before, literal, end) for end in _ENDS)


def _units(items: Sequence[Item], place: int, follows: str) -> Iterator[str]:
    """What to say over and over where something is repeated: it, and what stands beside it."""
    body = items[place][1][2]
    for unit in (
        _sample(body, 0),
        _sample(body, 1),
        _beginning(items[place + 1 :]),
        _beginning(items[:place][::-1])[::-1],
        follows,
    ):
        yield unit
        # A blank is what most patterns pass over, besides what they look for.
        yield f"{unit} "


def _inside(op: Any, value: Any) -> list[Any]:
    if op in _REPEATS:
        return [value[2]]
    if op is ops.SUBPATTERN:
        return [value[3]]
    if op is ops.BRANCH:
        return list(value[1])
    if op is ops.ATOMIC_GROUP:
        return [value]
    return [value[1]] if op in _LOOKS else []


def _literals(items: Sequence[Item]) -> list[str]:
    """Runs of characters that stand as they are."""
    runs = [""]
    for op, value in items:
        if op is ops.LITERAL:
            runs[-1] += chr(value)
        else:
            runs.append("")
    return runs


def _beginning(items: Sequence[Item]) -> str:
    """The characters that stand as they are before anything else does."""
    run = takewhile(lambda item: item[0] is ops.LITERAL, items)
    return "".join(chr(value) for _, value in run)


def _sample(items: Any, fill: int) -> str:
    """A text that the items match, or nearly; what may be left out is there ``fill`` times."""
    return "".join(_one(op, value, fill) for op, value in items)


def _one(op: Any, value: Any, fill: int) -> str:
    if op is ops.LITERAL:
        return chr(value)
    if op in {ops.ANY, ops.NOT_LITERAL}:
        return next(each for each in _SAMPLES if op is ops.ANY or ord(each) != value)
    if op is ops.IN:
        return _member(value)
    if op in _REPEATS:
        times: int = min(max(value[0], fill), 40)
        return _sample(value[2], fill) * times
    if op is ops.ASSERT_NOT:
        return ""
    inside = _inside(op, value)
    return _sample(inside[0], fill) if inside else ""


def _member(choices: list[Item]) -> str:
    if choices[0][0] is ops.NEGATE:
        outside = (each for each in _SAMPLES if not any(_holds(*one, each) for one in choices[1:]))
        return next(outside, "~")
    op, value = choices[-1]
    if op is ops.LITERAL:
        return chr(value)
    return chr(value[0]) if op is ops.RANGE else str(_CATEGORIES[value])


def _holds(op: Any, value: Any, character: str) -> bool:
    if op is ops.LITERAL:
        return bool(ord(character) == value)
    if op is ops.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    return re.match({"0": r"\d", " ": r"\s", "a": r"\w"}[_CATEGORIES[value]], character) is not None
