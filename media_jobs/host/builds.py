"""The builds of FFmpeg on this machine by the places of their programs; nothing is started."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from media_jobs.ffmpeg.command import Program
from media_jobs.host import bundled
from media_jobs.host.bundled import Pinned

Stamp = tuple[int, ...]
Stamps = tuple[Stamp, Stamp]


@dataclass(frozen=True)
class Build:
    """An FFmpeg and the ffprobe that goes with it; ``pinned`` are those that must be these ones."""

    name: str
    ffmpeg: str
    ffprobe: str
    pinned: tuple[Pinned, ...] = ()

    def path(self, program: Program) -> str:
        return self.ffmpeg if program == "ffmpeg" else self.ffprobe

    def identity(self) -> Stamps:
        """What is another one where a program was replaced, by an upgrade of the machine, say."""
        return stamp_of(self.ffmpeg), stamp_of(self.ffprobe)


def found(choice: str) -> tuple[Build, ...]:
    """Those that FFMPEG_BUILD lets be used, the one to be preferred first."""
    match choice:
        case "bundled":
            return (*filter(_is_there, of_wheels()), *_in("system"))
        case "system":
            return _in("system")
        case folder:
            return _in("folder", folder)


@lru_cache(maxsize=1)
def of_wheels() -> tuple[Build, ...]:
    wheels = bundled.wheels()
    ffprobe = wheels.ffprobe.path() if wheels else None
    if wheels is None or ffprobe is None:
        return ()
    named = {"bundled": wheels.ffmpeg, "static": wheels.static_ffmpeg}
    return tuple(
        Build(name, str(ffmpeg), str(ffprobe), (pinned, wheels.ffprobe))
        for name, pinned in named.items()
        if (ffmpeg := pinned.path())
    )


def _is_there(build: Build) -> bool:
    return all(Path(path).is_file() for path in (build.ffmpeg, build.ffprobe))


def _in(name: str, path: str | None = None) -> tuple[Build, ...]:
    """What lies in the folders of ``path``, usually those of the environment."""
    ffmpeg, ffprobe = (shutil.which(program, path=path) for program in ("ffmpeg", "ffprobe"))
    if ffmpeg is None or ffprobe is None:
        return ()
    return (Build(name, os.path.realpath(ffmpeg), os.path.realpath(ffprobe)),)


def stamp_of(path: str) -> Stamp:
    """Empty where there is no such file any more."""
    try:
        found = Path(path).stat()
    except OSError:
        return ()
    # Its mode and its owner change the last.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
