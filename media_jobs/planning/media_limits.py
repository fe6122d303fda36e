"""Hold a job's media, and what it is to make, against the limits of its tenant and key."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from accounts.quotas.bounds import Bounds
from accounts.quotas.catalogue import FRAME_RATE, JOB_DURATION, RESOLUTION
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.operations.building import NAMED, Size
from media_jobs.operations.core import InvalidParams, Operation, Source

_CODE = "quota_exceeded"
# NTSC's 29.97 and 59.94 count as 30 and 60, and what calls itself 30 may measure a little more.
_SLACK = 1.01


def check_sources(sources: Mapping[str, Source], bounds: Bounds) -> None:
    """Raise `InvalidParams` for a source that is too long, too large or too fast."""
    for source in sources.values():
        check_media(source.role, source.info, bounds, is_picture=source.is_image)


def check_media(role: str, info: MediaInfo, bounds: Bounds, *, is_picture: bool = False) -> None:
    """Raise `InvalidParams` that names ``role``."""
    _hold(role, JOB_DURATION, info.duration_s or 0.0, bounds.duration_s, "s long")
    if info.video is not None:
        lines = min(info.video.width, info.video.height)
        _hold(role, RESOLUTION, lines, bounds.lines, "lines high")
        if not is_picture:
            _hold(role, FRAME_RATE, info.video.fps, bounds.frame_rate, "frames a second")


def check_wish(operation: Operation, bounds: Bounds) -> None:
    """Raise `InvalidParams` for an output that is asked to be larger or faster than it may be."""
    resolution, fps = getattr(operation, "resolution", None), getattr(operation, "fps", None)
    lines = 0
    if isinstance(resolution, str):
        lines = min(NAMED.get(resolution, (0, 0)))
    elif isinstance(resolution, Size):
        # One side alone may be either of the two, so it says nothing before the job has run.
        lines = min(resolution.width or 0, resolution.height or 0)
    _hold("resolution", RESOLUTION, lines, bounds.lines, "lines high")
    try:
        rate = float(Fraction(str(fps))) if fps else 0.0
    except ValueError:
        rate = 0.0  # "source", or whatever an operation knows besides numbers
    _hold("fps", FRAME_RATE, rate, bounds.frame_rate, "frames a second")


def _hold(field: str, quota: str, found: float, most: int | None, words: str) -> None:
    if most is not None and found > most * _SLACK:
        detail = f"it is {found:g} {words}; {quota} is {most}"
        raise InvalidParams(field, detail, _CODE)
