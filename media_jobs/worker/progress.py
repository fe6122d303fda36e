from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.progress import Progress

_FETCH_PERCENT = 5.0  # what fetching the inputs is taken to be of the whole


class Meter:
    """How far a job is: percent from the planned shares of its commands and FFmpeg's out-time.

    ``show`` takes it each time; what that raises comes through.
    """

    def __init__(self, show: Callable[[dict[str, Any]], object]) -> None:
        self._show = show
        self.restart()

    def restart(self) -> None:
        """Begin anew: all that was done is done once more."""
        self._done = 0.0
        self._started = time.monotonic()

    def fetching(self, got_bytes: int, of_bytes: int | None) -> None:
        part = got_bytes / of_bytes if of_bytes else 0.0
        self._show({"percent": round(_FETCH_PERCENT * min(part, 1.0), 1), "stage": "fetching"})

    def working(self, command: Command, progress: Progress | None) -> None:
        part = 0.0
        if progress is not None and command.duration_s:
            part = min(progress.out_time_s / command.duration_s, 1.0)
        whole = min(self._done + command.share * part, 1.0)
        shown = {
            "percent": round(min(_FETCH_PERCENT + (100 - _FETCH_PERCENT) * whole, 99.0), 1),
            "stage": command.stage,
            "eta_seconds": self._eta_s(whole),
        }
        if progress is not None:
            shown |= {"speed": progress.speed, "fps": progress.fps}
        self._show(shown)

    def finish(self, command: Command) -> None:
        self._done = min(self._done + command.share, 1.0)

    def _eta_s(self, whole: float) -> float | None:
        if whole < 0.02:  # too early to tell
            return None
        return round((time.monotonic() - self._started) * (1 - whole) / whole, 1)
