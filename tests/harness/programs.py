"""The FFmpeg and ffprobe that tests start themselves: those that the product would take."""

from __future__ import annotations

import os

from media_jobs.host import builds

# Without the settings: benchmark and chaos start before there are any.
_BUILD = builds.found(os.environ.get("FFMPEG_BUILD", "bundled"))[0]
FFMPEG_PATH, FFPROBE_PATH = _BUILD.ffmpeg, _BUILD.ffprobe


def is_one(name: str) -> bool:
    """Whether a process of this name is one: those of the wheels name a version as well."""
    return name.startswith(("ffmpeg", "ffprobe"))
