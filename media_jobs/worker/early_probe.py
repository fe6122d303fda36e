"""Look at an output while the FFmpeg that wrote it still tidies up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ffapi_site.lib.aside import TICK_S
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.host import machine, probe
from media_jobs.host.prestarted_probe import PrestartedProbe

_SETTLED_S = 0.02

_Stamp = tuple[int, ...]


@dataclass(frozen=True)
class _Look:
    stamp: _Stamp
    found: Future[MediaInfo]


class EarlyProbe:
    """FFmpeg's end takes a moment after its last byte, and ffprobe's start a longer one.

    So where a CPU is idle an ffprobe is started beside FFmpeg, and let in at the last byte.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, Future[PrestartedProbe | None]] = {}
        self._looks: dict[str, _Look] = {}
        self._pool = ThreadPoolExecutor(1, "look-ahead")
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._pool.shutdown(cancel_futures=True)
        for held in self._held.values():
            if not held.cancelled() and not held.exception() and (ready := held.result()):
                ready.discard()

    def prepare(self, command: Command) -> None:
        """Make ready to look at what ``command``, which has just been started, is to write."""
        wanted = [output.path for output in command.outputs if output.streams is not None]
        if len(wanted) == 1 and wanted[0] not in self._held:
            self._held[wanted[0]] = self._pool.submit(self._hold, wanted[0])

    def begin(self, command: Command) -> None:
        """Start to look at what ``command`` says it has written."""
        for output in command.outputs:
            if output.streams is not None and (self._folder / output.path).is_file():
                found = self._pool.submit(self._look, output.path)
                self._looks[output.path] = _Look(self._stamp(output.path), found)

    def info(self, path: str, watch: Callable[[], object] = lambda: None) -> MediaInfo:
        """Describe an output of a command that has ended. Raises `probe.Unreadable`.

        ``watch`` is called at least twice a second; what it raises comes through.
        """
        look = self._looks.pop(path, None)
        if look is not None and look.stamp == self._stamp(path):
            while not wait([look.found], TICK_S).done:
                watch()
            return look.found.result()
        return probe.probe_in(self._folder, path, watch=watch)

    def _stamp(self, path: str) -> _Stamp:
        """It differs where anything was written in between, or another file put in its place.

        A program may set the time of modification as it likes, that of the change only the kernel.
        """
        status = (self._folder / path).stat(follow_symlinks=False)
        return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def _look(self, path: str) -> MediaInfo:
        held = self._held.pop(path, None)
        ready = None if held is None else held.result()
        found = None if ready is None else ready.look(self._check)
        return found or probe.probe_in(self._folder, path, watch=self._check)

    def _hold(self, path: str) -> PrestartedProbe | None:
        # Not at once: all who listen are being told that the job has started.
        time.sleep(_SETTLED_S)
        # Where every CPU is busy its load would only hold the encoding up.
        return PrestartedProbe(self._folder, path) if machine.has_idle_cpu() else None

    def _check(self) -> None:
        if self._is_over.is_set():
            raise InterruptedError("the attempt is over")
