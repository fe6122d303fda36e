"""One run of FFmpeg or ffprobe as plain data: what to start, what it leaves, how to read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Program = Literal["ffmpeg", "ffprobe"]
Parser = Callable[[str], Any]


@dataclass(frozen=True)
class OutputFile:
    """A file that a command leaves and that is published when the whole job has ended well.

    ``streams`` are the kinds that must be found in it ("video", "audio"); ``None`` means that the
    file is not checked by its streams. ``duration_s`` is the planned length, where there is one.
    """

    path: str
    role: str
    name: str
    content_type: str
    duration_s: float | None = None
    streams: frozenset[str] | None = None


@dataclass(frozen=True)
class Command:
    """Arguments after the program's name; files are named relative to the job's own folder.

    ``share`` is the planned part of the whole job's work, all of them together being 1.
    ``parse`` makes a JSON-able answer of what was printed. A command with ``parse`` leaves nothing
    but its answer, so it need not run again after a crash.
    """

    args: tuple[str, ...]
    program: Program = "ffmpeg"
    stage: str = "encoding"
    duration_s: float | None = None
    share: float = 1.0
    outputs: tuple[OutputFile, ...] = ()
    parse: Parser | None = None

    def answer(self, stdout: str, stderr: str) -> Any:
        """What ``parse`` makes of what was printed; None of a command that asks for nothing.

        FFmpeg measures on stderr, for its stdout is that of its progress; ffprobe answers on
        stdout. Raises `words.Unsaid` where what was to be measured is not there.
        """
        if self.parse is None:
            return None
        return self.parse(stderr if self.program == "ffmpeg" else stdout)
