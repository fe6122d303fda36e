"""A part of a source, from a start to an end."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from media_jobs.ffmpeg.media_info import VideoStream, rate
from media_jobs.operations.core import LEAST_S, InvalidParams, Source


@dataclass(frozen=True)
class TimeRange:
    """``length_s`` is ``None`` where the source is used to its end."""

    start_s: float
    length_s: float | None
    planned_s: float | None
    warnings: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.start_s == 0 and self.length_s is None

    @classmethod
    def of(  # noqa: PLR0913 -- what is cut, and what of it is wanted
        cls,
        source: Source,
        start: float,
        end: float | None,
        end_field: str = "end",
        *,
        video: VideoStream | None = None,
        is_copied: bool = False,
    ) -> TimeRange:
        """Raise where nothing would be left; an end behind the source's own is told.

        ``video`` is given where the result shows it. One that is copied starts at a key frame
        before the start, so there is something of it wherever it has begun.
        """
        whole_s = source.duration_s or None
        if whole_s is not None and start >= whole_s:
            raise InvalidParams("start", f"the source ends at {whole_s:g} s", "out_of_range")
        if video is not None and not is_copied:
            check_has_frame(source, video, start)
        if end is None:
            return cls(start, None, None if whole_s is None else whole_s - start)
        if end <= start:
            raise InvalidParams(end_field, "must lie behind the start", "out_of_range")
        if video is not None:
            check_has_begun(source, video, end, end_field)
        check_length(source, None if is_copied else video, end - start, end_field)
        if whole_s is None or end <= whole_s:
            return cls(start, end - start, end - start)
        # It is as long as asked even so: the length of some sources is no more than an estimate.
        late = f"the source ends at {whole_s:g} s, before the end asked for"
        return cls(start, end - start, whole_s - start, (late,) if end > whole_s + 0.1 else ())


def check_has_frame(source: Source, video: VideoStream, start: float) -> None:
    """A seek takes the first frame at or after the start: within the last one there is none."""
    if video.duration_s is None or not video.fps or video.is_vfr:
        return
    last_s = video.start_s - source.info.start_s + video.duration_s - 1 / video.fps
    if start > last_s + rate(video.time_base):
        # Rounded down, for what is named has to work.
        named = f"{max(0.0, floor(last_s * 1000) / 1000):.3f}".rstrip("0").rstrip(".")
        raise InvalidParams("start", f"the last frame begins at {named} s", "out_of_range")


def check_has_begun(source: Source, video: VideoStream, end: float, field: str) -> None:
    """Refuse an end before the first frame, where the sound begins earlier."""
    first_s = video.start_s - source.info.start_s
    if end <= first_s:
        raise InvalidParams(field, f"the first frame begins at {first_s:g} s", "out_of_range")


def check_length(source: Source, video: VideoStream | None, length_s: float, field: str) -> None:
    if video is not None:
        # The frames of a varying rate may lie as near as its base rate.
        per_second, unit = max(video.fps, video.r_fps if video.is_vfr else 0.0), "frame"
    else:
        track = next(iter(source.info.audio), None)
        per_second, unit = (track.sample_rate if track else 0), "sample"
    least_s = 1 / per_second if per_second else 0.0
    # Times are mostly written in whole milliseconds: 0.033 s is a frame of 30 in a second.
    if length_s < max(least_s - 0.001 * (unit == "frame"), LEAST_S):
        raise InvalidParams(field, f"is shorter than one {unit}", "out_of_range")
