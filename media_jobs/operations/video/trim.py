"""Cut a part out of a film or sound."""

from __future__ import annotations

from typing import ClassVar, Literal

from media_jobs.operations.building.encoding import finish, result_file
from media_jobs.operations.building.reencode import (
    Form,
    copied_video,
    edited_video,
    encoded_audio,
    mapped,
)
from media_jobs.operations.building.sizes import made_even, stored_shape
from media_jobs.operations.building.time_range import Span, span
from media_jobs.operations.core import (
    Command,
    Example,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Result,
    Steps,
    Target,
)
from media_jobs.operations.core.fields import Duration, Seconds


class Trim(Operation):
    """Keep only a part of a film or sound.

    The part is from ``start`` to ``end``, or as long as ``duration``. ``frame`` cuts at exactly
    these times and encodes again, in the source's codec where that is possible. ``keyframe``
    copies bit by bit, fast and without loss, but can begin only at a key frame: the first one at
    or before ``start``.
    """

    path: ClassVar[str] = "video/trim"
    group: ClassVar[str] = "video"
    aliases: ClassVar[tuple[str, ...]] = ("trim",)
    device: ClassVar[Literal["any", "cpu", "gpu"]] = "any"
    examples: ClassVar[tuple[Example, ...]] = (
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
    """The film or sound."""
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
            m.source.need_film()
        end = self.end if self.duration is None else self.start + self.duration
        exact = self.accuracy == "frame"
        cut = span(
            m.source,
            self.start,
            end,
            "end" if self.duration is None else "duration",
            film=m.source.info.video,
            is_copied=not exact,
        )
        yield self._exact(m, cut) if exact else self._copied(m, cut)
        early = (
            () if exact or not self.start else ("it begins at the key frame at or before start",)
        )
        return Result({"accuracy": self.accuracy}, warnings=(*cut.warnings, *early))

    def _exact(self, m: Media, cut: Span) -> Command:
        form, info = Form.of(m.source), m.source.info
        film = info.video if form.container.video else None
        video = edited_video(m, form, film, made_even(stored_shape(film))) if film else ()
        args = (*video, *encoded_audio(m, form, info.audio), *finish(form.container))
        file = result_file(m, form.container, streams=form.streams(info), duration_s=cut.planned_s)
        return m.ffmpeg(
            [Input(m.source, cut.start_s, cut.length_s, is_decoded_by_device=film is not None)],
            [Target(args, file)],
            duration_s=cut.planned_s,
        )

    def _copied(self, m: Media, cut: Span) -> Command:
        form, info = Form.of(m.source, copies_video=True), m.source.info
        args = (
            *(copied_video(info.video) if info.video else ()),
            *((*mapped(info.audio), "-c:a", "copy") if info.audio else ()),
            # The key frame lies before the start, at a negative time that players dislike.
            *("-avoid_negative_ts", "make_zero"),
            *finish(form.container),
        )
        # How long it becomes is known only where the key frames are.
        file = result_file(m, form.container, streams=form.streams(info), duration_s=None)
        return m.ffmpeg(
            [Input(m.source, cut.start_s, cut.length_s)],
            [Target(args, file)],
            stage="copying",
            duration_s=cut.planned_s,
        )
