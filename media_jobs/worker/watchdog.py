from __future__ import annotations

import time

import psutil

from media_jobs.ffmpeg.progress import Progress

# Below it a process only breathes: FFmpeg's own reports cost a thousandth of a CPU.
_BREATH = 0.01


class Watchdog:
    """Tells a hung process from a slow one.

    A hung one neither comes forward nor uses its CPU. Progress alone would not do: a filter that
    needs its whole input first (``reverse``, ``palettegen``) works for long without any. One that
    works for ever without any meets its CPU limit.
    """

    def __init__(self, pid: int, patience_s: float) -> None:
        self._process = _process(pid)
        self._patience_s = patience_s
        self._seen: Progress | None = None
        self._cpu_s = 0.0
        self._moved_at = time.monotonic()
        self.found_hung = False

    def is_hung(self, progress: Progress | None) -> bool:
        """Look again; true once nothing has moved for longer than the patience."""
        now = time.monotonic()
        if self._has_moved(progress):
            self._moved_at = now
        self.found_hung |= now - self._moved_at > self._patience_s
        return self.found_hung

    def _has_moved(self, progress: Progress | None) -> bool:
        if self._process is None:
            return True
        try:
            used = self._process.cpu_times()
        except psutil.NoSuchProcess:
            return True  # it has ended, which is not to hang
        cpu_s = used.user + used.system
        if _figures(progress) == _figures(self._seen) and not self._has_worked(cpu_s):
            return False
        self._seen, self._cpu_s = progress, cpu_s
        return True

    def _has_worked(self, cpu_s: float) -> bool:
        return bool(cpu_s - self._cpu_s > _BREATH * self._patience_s)


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:  # it has ended already
        return None


def _figures(progress: Progress | None) -> tuple[object, ...]:
    """What can only grow while there is progress; speed and rate change without any."""
    if progress is None:
        return ()
    return progress.out_time_s, progress.frame, progress.total_size_bytes
