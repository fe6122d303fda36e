"""Choose the frames of a video that show most, from measurements of some of its frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from media_jobs.ffmpeg import words
from media_jobs.ffmpeg.filters import Filter

_LINE_CHARACTERS = 200
_FRAME = re.compile(r"\[info\] frame:(\d{1,18})\s+pts:(-?\d{1,18})\b")
_VALUE = re.compile(
    r"\[info\] lavfi\.(blur|signalstats\.(?:YAVG|YLOW|YHIGH))="
    r"(-?(?:nan|inf|\d{1,18}(?:\.\d{1,18})?))$",
    re.MULTILINE,
)

# Of 255, on the whole: video's black is 16, and noise lifts it a little.
DARKEST_MEAN = 30.0
# Between the tenth and the ninetieth percentile: less is a plain area, a fade or fog.
LEAST_CONTRAST = 20.0
# Against the sharpest quarter of the video itself, for how sharp a video can be differs.
MOST_BLUR = 1.4


@dataclass(frozen=True)
class Frame:
    time_s: float
    blur: float
    brightness: float
    contrast: float

    @property
    def is_plain(self) -> bool:
        return self.brightness < DARKEST_MEAN or self.contrast < LEAST_CONTRAST

    @property
    def worth(self) -> float:
        return self.contrast / max(self.blur, 0.1)


def measuring_filters(interval_s: float) -> list[Filter]:
    """Print blur, brightness and contrast of one frame in every interval."""
    due = f"isnan(prev_selected_t)+gte(t-prev_selected_t,{interval_s:.6f})"
    keys = ("blur", "signalstats.YAVG", "signalstats.YLOW", "signalstats.YHIGH")
    return [
        Filter("select", expr=due),
        # Small frames are measured fast, and compare between videos of any size.
        Filter("scale", w=320, h=-2),
        Filter("format", pix_fmts="yuv420p"),
        Filter("blurdetect"),
        Filter("signalstats"),
        # Printed times then are microseconds: pts_time itself has six digits only.
        Filter("settb", expr="AVTB"),
        *(Filter("metadata", mode="print", key=f"lavfi.{key}") for key in keys),
    ]


def read_measurements(log: str) -> list[list[float]]:
    """Rows of time, blur, brightness, contrast: JSON, so that they can be kept."""
    frames: dict[int, dict[str, float]] = {}
    here: dict[str, float] = {}
    for said in words.of_filter(log, "metadata"):
        line = said[:_LINE_CHARACTERS]
        if head := _FRAME.match(line):
            here = frames.setdefault(int(head.group(1)), {"pts": float(head.group(2))})
        elif found := _VALUE.match(line):
            here[found.group(1)] = as_number(found.group(2))
    return [row(values) for values in frames.values() if len(values) == 5]


def row(values: dict[str, float]) -> list[float]:
    contrast = values["signalstats.YHIGH"] - values["signalstats.YLOW"]
    return [values["pts"] / 1_000_000, values["blur"], values["signalstats.YAVG"], contrast]


def as_number(word: str) -> float:
    """A frame without any edge has a blur of "nan": nothing in it is sharp."""
    return 1000.0 if word.endswith(("nan", "inf")) else float(word)


def as_frames(rows: Iterable[Sequence[Any]]) -> list[Frame]:
    return [Frame(*(float(value) for value in each)) for each in rows]


def choose(frames: Sequence[Frame], count: int, duration_s: float) -> list[Frame]:
    """Take the best of each of ``count`` equal stretches; where one shows nothing, look elsewhere.

    Plain and blurred frames come last of all, and only when there are too few others.
    """
    good = showing(frames)
    chosen = best_of_stretches(good, count, duration_s)
    for pool in (good, frames):
        chosen = spread(chosen, pool, count)
    return sorted(chosen, key=lambda frame: frame.time_s)


def showing(frames: Sequence[Frame]) -> list[Frame]:
    clear = [frame for frame in frames if not frame.is_plain]
    blurs = sorted(frame.blur for frame in clear)
    limit = blurs[len(blurs) // 4] * MOST_BLUR if blurs else 0.0
    return [frame for frame in clear if frame.blur <= limit]


def best_of_stretches(good: Sequence[Frame], count: int, duration_s: float) -> list[Frame]:
    edges = [duration_s * place / count for place in range(count + 1)]
    stretches = [
        [frame for frame in good if start <= frame.time_s < end] for start, end in pairwise(edges)
    ]
    return [max(inside, key=lambda frame: frame.worth) for inside in stretches if inside]


def spread(chosen: Sequence[Frame], pool: Sequence[Frame], count: int) -> list[Frame]:
    """Add from the pool what lies farthest from all that is chosen already."""
    kept = list(chosen)
    left = [frame for frame in pool if frame not in kept]
    while left and len(kept) < count:
        times = [frame.time_s for frame in kept]
        farthest = max(left, key=lambda frame: (distance(frame.time_s, times), frame.worth))
        kept.append(farthest)
        left.remove(farthest)
    return kept


def distance(time_s: float, times: Sequence[float]) -> float:
    return min((abs(time_s - other) for other in times), default=0.0)
