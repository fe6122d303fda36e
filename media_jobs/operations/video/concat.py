"""Clips behind one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from typing import Annotated, Literal

from pydantic import Field

from media_jobs.ffmpeg.codecs import CONTAINERS, Container, audio_family
from media_jobs.ffmpeg.demuxers import pin
from media_jobs.ffmpeg.devices import Encoding
from media_jobs.ffmpeg.filters import in_seconds
from media_jobs.operations.building import (
    EDIT_BITRATE,
    EDIT_CRF,
    AudioEncoding,
    OutputContainer,
    Playlist,
    Resolution,
    TargetFormat,
    Transition,
    audio_args,
    conform,
    copied_video,
    crossfaded,
    displayed_size,
    finish,
    made_alike,
    resize,
    result_file,
    size_after,
)
from media_jobs.operations.core import (
    Args,
    Command,
    Example,
    FrameRate,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Result,
    Source,
    Steps,
    Target,
)

# All clips of a video with transitions are open at once.
MOST_WITH_TRANSITION = 20
HIGHEST_RATE = 60

ENCODING = Encoding("h264", crf=EDIT_CRF["h264"])


class Concat(Operation):
    """Put clips behind one another.

    Clips of one kind are joined bit by bit. Others are brought to the size of the first and to
    the highest frame rate among them, with bars where the shape differs; a silent clip among
    clips with audio is silent for its length. The job's ``result`` says when each clip begins.
    """

    path = "video/concat"
    group = "video"
    device = "any"
    examples = (
        Example(
            "clips of one kind: nothing is encoded",
            {"inputs/0": "red", "inputs/1": "green"},
            expect={"video": "h264", "audio": "aac", "duration_s": 4, "action": "copied"},
        ),
        Example(
            "other sizes and rates, one of them silent",
            {"inputs/0": "red", "inputs/1": "blue_silent", "inputs/2": "second_film"},
            expect={
                "video": "h264",
                "audio": "aac",
                "width": 320,
                "height": 180,
                "fps": 30,
                "duration_s": 6,
                "action": "encoded",
            },
        ),
        Example(
            "with a fade",
            {"inputs/0": "red", "inputs/1": "green"},
            {"transition": {"type": "fade", "duration": 0.5}, "fps": 25},
            expect={"video": "h264", "audio": "aac", "fps": 25, "duration_s": 3.5},
        ),
    )

    inputs: Annotated[tuple[MediaRef, ...], Field(min_length=2, max_length=100)]
    """The clips, in order."""
    transition: Transition | None = None
    """A cut when absent."""
    resolution: Resolution | None = None
    """The first clip's size when absent."""
    fps: FrameRate | None = None
    """The highest rate among the clips, up to 60, when absent."""
    audio: Literal["keep", "none"] = "keep"
    """none: a silent video."""

    def steps(self, m: Media) -> Steps:
        clips = m.all_of("inputs")
        lengths_s = [self._length_s(clip) for clip in clips]
        if self.transition is not None:
            self._check_transition(self.transition, lengths_s)
            yield self._faded(m, clips, lengths_s, self.transition)
            return report(lengths_s, "encoded", self.transition.duration)
        if self._is_plain and conform(clips):
            yield self._copied(m, clips, lengths_s)
            return report(lengths_s, "copied")
        target = self._target_format(m, clips)
        paths = [f"tmp/{place}.mov" for place in range(len(clips))]
        share = 0.9 / len(clips)
        yield tuple(
            replace(made_alike(m, clip, target, ENCODING, path), share=share)
            for clip, path in zip(clips, paths, strict=True)
        )
        yield self._joined(m, Playlist(paths, lengths_s, "mov"), target)
        return report(lengths_s, "encoded")

    @property
    def _is_plain(self) -> bool:
        return self.resolution is None and self.fps is None

    def _length_s(self, clip: Source) -> float:
        clip.need_video()
        length_s = clip.video_duration_s()
        if not length_s:
            raise InvalidParams(clip.role, "the length of this clip is not known", "no_duration")
        return length_s

    def _check_transition(self, transition: Transition, lengths_s: Sequence[float]) -> None:
        if len(lengths_s) > MOST_WITH_TRANSITION:
            detail = f"at most {MOST_WITH_TRANSITION} clips with a transition"
            raise InvalidParams("inputs", detail, "too_many")
        for place, length_s in enumerate(lengths_s):
            ends = 1 if place in {0, len(lengths_s) - 1} else 2
            if length_s <= transition.duration * ends:
                detail = f"clip {place} lasts {length_s:g} s, too short for it"
                raise InvalidParams("transition/duration", detail, "out_of_range")

    def _target_format(self, m: Media, clips: Sequence[Source]) -> TargetFormat:
        first = displayed_size(clips[0].need_video())
        sized = resize(first, self.resolution, m.device) if self.resolution else []
        rates = [clip.need_video().fps for clip in clips]
        highest = min(HIGHEST_RATE, max(rates)) or 25
        fps = self.fps or str(Fraction(highest).limit_denominator(1001))
        has_audio = self.audio == "keep" and any(clip.info.has_audio for clip in clips)
        return TargetFormat(size_after(first, sized).even(), fps, has_audio=has_audio)

    def _copied(self, m: Media, clips: Sequence[Source], lengths_s: Sequence[float]) -> Command:
        container = OutputContainer.of(clips[0], copies_video=True).container
        first, video = clips[0].info, clips[0].need_video()
        tracks = first.audio[:1] if self.audio == "keep" else ()
        held = all(container.holds("audio", audio_family(track.codec)) for track in tracks)
        codec = ("-c:a", "copy") if held else ("-c:a", "aac", "-b:a", EDIT_BITRATE)
        audio = ("-map", f"0:{tracks[0].index}", *codec) if tracks else ()
        demuxer = pin(first.format_name, video.codec) or ""
        total_s = sum(lengths_s)
        return m.ffmpeg(
            [Playlist([clip.path for clip in clips], lengths_s, demuxer)],
            [self._result(m, container, (*copied_video(video), *audio), total_s)],
            stage="copying",
            duration_s=total_s,
        )

    def _joined(self, m: Media, parts: Playlist, target: TargetFormat) -> Command:
        audio = ("-map", "0:a:0", *audio_args(m, AudioEncoding("aac", EDIT_BITRATE)))
        args = ("-map", "0:v:0", "-c:v", "copy", *(audio if target.has_audio else ()))
        total_s = sum(parts.lengths_s)
        return m.ffmpeg(
            [parts],
            [self._result(m, CONTAINERS["mp4"], args, total_s)],
            stage="joining",
            duration_s=total_s,
            share=0.1,
        )

    def _faded(
        self,
        m: Media,
        clips: Sequence[Source],
        lengths_s: Sequence[float],
        transition: Transition,
    ) -> Command:
        target = self._target_format(m, clips)
        graph = crossfaded(m, clips, lengths_s, target, transition=transition, encoding=ENCODING)
        total_s = sum(lengths_s) - transition.duration * (len(clips) - 1)
        *audio, video = graph.results
        args = (
            *("-map", f"[{video}]", *m.device.encode(ENCODING)),
            *(arg for label in audio for arg in ("-map", f"[{label}]")),
            *(audio_args(m, AudioEncoding("aac", EDIT_BITRATE)) if audio else ()),
            # xfade repeats the last frame once or twice.
            *("-t", in_seconds(total_s)),
        )
        return m.ffmpeg(
            [Input(clip) for clip in clips],
            [self._result(m, CONTAINERS["mp4"], args, total_s)],
            graph=graph,
            duration_s=total_s,
        )

    def _result(self, m: Media, container: Container, args: Args, duration_s: float) -> Target:
        streams = frozenset({"video", "audio"} if "-c:a" in args else {"video"})
        file = result_file(m, container, streams=streams, duration_s=duration_s)
        return Target((*args, *finish(container)), file)


def report(lengths_s: Sequence[float], action: str, overlap_s: float = 0.0) -> Result:
    starts = [0.0, *accumulate(length_s - overlap_s for length_s in lengths_s[:-1])]
    return Result({"action": action, "starts": [round(start, 3) for start in starts]})
