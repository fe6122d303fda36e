"""FFmpeg's ``-progress`` lines as values."""

from __future__ import annotations

import math
from dataclasses import dataclass

# FFmpeg's own have some forty bytes; one that something has taken over writes what it likes.
_LONGEST_LINE_BYTES = 4096


_KEYS = {"out_time_us", "frame", "total_size", "speed", "fps"}


@dataclass
class Lines:
    """The whole lines of what comes in pieces; those over ``_LONGEST_LINE_BYTES`` are left out."""

    _rest: bytes = b""
    _is_too_long: bool = False

    def feed(self, piece: bytes) -> list[str]:
        *ended, rest = (self._rest + piece).split(b"\n")
        if ended and self._is_too_long:
            del ended[0]
            self._is_too_long = False
        self._is_too_long |= len(rest) > _LONGEST_LINE_BYTES
        self._rest = b"" if self._is_too_long else rest
        return [line.decode(errors="replace") for line in ended if len(line) <= _LONGEST_LINE_BYTES]


@dataclass(frozen=True)
class Progress:
    out_time_s: float
    speed: float | None
    fps: float | None
    frame: int | None
    total_size_bytes: int | None
    is_last: bool


class ProgressParser:
    """Collects ``key=value`` lines; every ``progress=`` line closes one report."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}
        self._out_time_s = 0.0

    def feed(self, line: str) -> Progress | None:
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            return None
        if key != "progress":
            if key in _KEYS:
                self._seen[key] = value
            return None
        seen, self._seen = self._seen, {}
        return self._report(seen, is_last=value == "end")

    def _report(self, seen: dict[str, str], *, is_last: bool) -> Progress:
        micros = decimal(seen.get("out_time_us"))
        # FFmpeg says N/A or a negative time before the first packet: progress never goes back.
        if micros is not None:
            self._out_time_s = max(self._out_time_s, micros / 1_000_000)
        frame, size = decimal(seen.get("frame")), decimal(seen.get("total_size"))
        return Progress(
            out_time_s=self._out_time_s,
            speed=decimal(seen.get("speed", "").removesuffix("x")),
            fps=decimal(seen.get("fps")),
            frame=None if frame is None else int(frame),
            total_size_bytes=None if size is None else int(size),
            is_last=is_last,
        )


def decimal(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
