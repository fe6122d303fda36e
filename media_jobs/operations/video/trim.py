"""Cut a part out of a video or audio file."""

from __future__ import annotations

from typing import Literal

from media_jobs.operations.building import (
    OutputContainer,
    TimeRange,
    copied_video,
    edited_video,
    encoded_audio,
    finish,
    made_even,
    mapped,
    result_file,
    stored_size,
)
from media_jobs.operations.core import (
    Args,
    Command,
    Duration,
    Example,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Result,
    Seconds,
    Steps,
    Target,
)


class Trim(Operation):
    """Keep only a part of a video or audio file.

    The part is from ``start`` to ``end``, or as long as ``duration``. ``frame`` cuts at exactly
    these times and encodes again, in the source's codec where that is possible. ``keyframe``
    copies bit by bit, fast and without loss, but can begin only at a key frame: the first one at
    or before ``start``.
    """

    path = "video/trim"
    group = "video"
    aliases = ("trim",)
    device = "any"
    examples = (
        Example(
            "one and a half seconds, to the frame",
            {"input": "film"},
            {"start": 1, "end": 2.5},
            expect={"video": "h264", "audio": "aac", "duration_s": 1.5, "accuracy": "frame"},
        ),
        Example(
            "without encoding",
            {"input": "film"},
            {"start": 0, "duration": 2, "accuracy": "keyframe"},
            expect={"video": "h264", "audio": "aac", "accuracy": "keyframe"},
        ),
    )

    input: MediaRef
    """The video or audio."""
    start: Seconds = 0.0
    """Where to begin."""
    end: Seconds | None = None
    """Where to stop; the source's end when absent."""
    duration: Duration | None = None
    """How much to keep, instead of an end."""
    accuracy: Literal["frame", "keyframe"] = "frame"
    """frame: exact, encoded again · keyframe: copied, from the key frame before."""

    def steps(self, m: Media) -> Steps:
        if self.end is not None and self.duration is not None:
            raise InvalidParams("duration", "give either end or duration", "conflict")
        if m.source.info.video is not None:
            m.source.need_video()
        end = self.end if self.duration is None else self.start + self.duration
        exact = self.accuracy == "frame"
        cut = TimeRange.of(
            m.source,
            self.start,
            end,
            "end" if self.duration is None else "duration",
            video=m.source.info.video,
            is_copied=not exact,
        )
        yield self._exact(m, cut) if exact else self._copied(m, cut)
        early = (
            () if exact or not self.start else ("it begins at the key frame at or before start",)
        )
        return Result({"accuracy": self.accuracy}, warnings=(*cut.warnings, *early))

    def _exact(self, m: Media, cut: TimeRange) -> Command:
        output, info = OutputContainer.of(m.source), m.source.info
        video = info.video if output.container.video else None
        edited = edited_video(m, output, video, made_even(stored_size(video))) if video else ()
        args = (*edited, *encoded_audio(m, output, info.audio), *finish(output.container))
        return m.ffmpeg(
            [Input(m.source, cut.start_s, cut.length_s, is_decoded_by_device=video is not None)],
            [self._result(m, output, args, cut.planned_s)],
            duration_s=cut.planned_s,
        )

    def _copied(self, m: Media, cut: TimeRange) -> Command:
        output, info = OutputContainer.of(m.source, copies_video=True), m.source.info
        args = (
            *(copied_video(info.video) if info.video else ()),
            *((*mapped(info.audio), "-c:a", "copy") if info.audio else ()),
            # The key frame lies before the start, at a negative time that players dislike.
            *("-avoid_negative_ts", "make_zero"),
            *finish(output.container),
        )
        return m.ffmpeg(
            [Input(m.source, cut.start_s, cut.length_s)],
            # How long it becomes is known only where the key frames are.
            [self._result(m, output, args, None)],
            stage="copying",
            duration_s=cut.planned_s,
        )

    def _result(
        self, m: Media, output: OutputContainer, args: Args, duration_s: float | None
    ) -> Target:
        streams = output.streams(m.source.info)
        file = result_file(m, output.container, streams=streams, duration_s=duration_s)
        return Target(args, file)
