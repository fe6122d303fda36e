"""The kinds of values that options take. A value either is of its option's kind or is refused.

None of these can name a file where FFmpeg expects a number, a word, a size or a list of flags:
there is no option among the allowed ones whose value FFmpeg would take for a path or an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"[+-]?\d{1,12}(\.\d{1,9})?"
_CLOCK = r"(\d{1,3}:)?\d{1,2}:\d{1,2}(\.\d{1,9})?"
_WORD = r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}"
LONGEST_TIME_S = 864_000


@dataclass(frozen=True)
class Kind:
    pattern: re.Pattern[str]
    example: str

    def holds(self, text: str) -> bool:
        return self.pattern.fullmatch(text) is not None


def _kind(pattern: str, example: str) -> Kind:
    return Kind(re.compile(pattern, re.ASCII), example)


KINDS: dict[str, Kind] = {
    "int": _kind(r"[+-]?\d{1,10}", "a whole number, such as 2"),
    "number": _kind(rf"{_NUMBER}([kKMG]i?)?", "a number, such as 23 or 1.5"),
    "bits": _kind(rf"{_NUMBER}([kKMG]i?[bB]?)?", "a number of bits, such as 5M or 192k"),
    "time": _kind(rf"-?({_CLOCK}|\d{{1,9}}(\.\d{{1,9}})?(s|ms|us)?)", "a time, such as 5 or 1:30"),
    "size": _kind(r"\d{1,5}x\d{1,5}|[a-z][a-z0-9]{1,11}", "a size, such as 1280x720"),
    "rate": _kind(r"\d{1,9}(\.\d{1,9})?([/:]\d{1,9})?|[a-z][a-z-]{1,11}", "a rate, such as 25"),
    "ratio": _kind(r"\d{1,9}([:/]\d{1,9})?|\d{1,5}\.\d{1,9}", "a ratio, such as 16:9"),
    "timebase": _kind(r"-?\d{1,9}([:/]\d{1,9})?|demux|filter", "a time base, such as 1:90000"),
    "word": _kind(_WORD, "a word, such as medium or yuv420p"),
    "flags": _kind(
        r"[+-]?[A-Za-z0-9_]{1,40}([+-][A-Za-z0-9_]{1,40})*", "flags, such as +faststart"
    ),
    "switch": _kind("-?1|0|true|false|auto|yes|no|on|off", "0 or 1"),
    "loops": _kind(r"-1|\d{1,6}", "how often, such as 3"),
    "map": _kind(
        r"-?\d{1,3}(:[A-Za-z0-9_.:#-]{1,60})?\??|\[[A-Za-z0-9_.:#-]{1,60}\]",
        "a stream, such as 0:v:0, or a label, such as [out]",
    ),
    "from": _kind(
        r"-1|\d{1,3}(:(g|[sc]:\d{1,3}|s:[vas]:\d{1,3}|s:[vas]))?", "an input, such as 0, or -1"
    ),
    "metadata": _kind(r"[A-Za-z0-9_.:@ -]{1,64}=[^\x00-\x1f\x7f]{0,1000}", "key=value"),
    "keyframes": _kind(
        r"expr:[\w+\-*/%^().,;<>=! ]{1,300}|[\d:.,]{1,1000}|source(_no_drop)?",
        "times, such as 0,2.5,5, or an expression, such as expr:gte(t,n_forced*2)",
    ),
    "layout": _kind(r"[A-Za-z0-9_.+()|-]{1,64}", "a layout, such as stereo or 5.1"),
    "pair": _kind(rf"{_NUMBER}([:,]{_NUMBER}){{0,12}}", "numbers, such as 1.0:0.15"),
}


def seconds(text: str) -> float:
    """The length that a value of kind ``time`` says."""
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    if ":" in text:
        total = 0.0
        for part in text.split(":"):
            total = total * 60 + float(part)
        return sign * total
    for unit, scale in (("ms", 1e-3), ("us", 1e-6), ("s", 1.0)):
        if text.endswith(unit):
            return sign * float(text.removesuffix(unit)) * scale
    return sign * float(text)
