"""Look at an output while the FFmpeg that wrote it still tidies up."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.worker import probe

_Stamp = tuple[int, int]


@dataclass(frozen=True)
class _Look:
    stamp: _Stamp
    found: Future[MediaInfo]


class LookAhead:
    """FFmpeg's end takes a moment after its last byte, and ffprobe's start a longer one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looks: dict[str, _Look] = {}
        self._pool = ThreadPoolExecutor(1, "look-ahead")
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._pool.shutdown(cancel_futures=True)

    def begin(self, command: Command) -> None:
        """Start to look at what ``command`` says it has written."""
        for output in command.outputs:
            if output.streams is not None and (self._folder / output.path).is_file():
                found = self._pool.submit(self._look, output.path)
                self._looks[output.path] = _Look(self._stamp(output.path), found)

    def info(self, path: str) -> MediaInfo:
        """Describe an output of a command that has ended. Raises `probe.Unreadable`."""
        look = self._looks.pop(path, None)
        if look is not None and look.stamp == self._stamp(path):
            return look.found.result()
        return probe.probe_in(self._folder, path)

    def _stamp(self, path: str) -> _Stamp:
        """It differs where anything was written in between."""
        status = (self._folder / path).stat()
        return status.st_size, status.st_mtime_ns

    def _look(self, path: str) -> MediaInfo:
        return probe.probe_in(self._folder, path, watch=self._check)

    def _check(self) -> None:
        if self._is_over.is_set():
            raise InterruptedError("the attempt is over")
