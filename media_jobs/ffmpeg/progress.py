"""FFmpeg's ``-progress`` lines as values."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"^\s*([a-z_0-9]+)=\s*(.*?)\s*$")


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
        found = _LINE.match(line)
        if not found:
            return None
        key, value = found.groups()
        if key != "progress":
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
        return float(text or "")
    except ValueError:
        return None
