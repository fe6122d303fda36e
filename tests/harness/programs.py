"""The FFmpeg and ffprobe that tests start themselves: those that the product would take."""

from __future__ import annotations

from media_jobs.host import toolchain

_BUILD = toolchain.installed()[0]
FFMPEG_PATH, FFPROBE_PATH = _BUILD.ffmpeg, _BUILD.ffprobe


def is_one(name: str) -> bool:
    """Whether a process of this name is one: those of the wheels name a version as well."""
    return name.startswith(("ffmpeg", "ffprobe"))
