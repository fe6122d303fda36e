"""Clips behind one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from media_jobs.ffmpeg.codecs import CONTAINERS, audio_family
from media_jobs.ffmpeg.demuxers import pin
from media_jobs.ffmpeg.devices import Encoding
from media_jobs.operations.building.encoding import Sound, audio_args, finish, result_file, tag_args
from media_jobs.operations.building.reencode import EDIT_BITRATE, EDIT_CRF, Form
from media_jobs.operations.building.segments import (
    Look,
    conform,
    join,
    one_clip,
    picture_filters,
    playlist,
    sound_graph,
)
from media_jobs.operations.building.sizes import Resolution, resize, shape_after, shape_of
from media_jobs.operations.core import (
    Command,
    Example,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Parameters,
    Result,
    Source,
    Steps,
    Target,
)
from media_jobs.operations.core.fields import NOT_BOOL, FrameRate

# All clips of a film with transitions are open at once.
MOST_WITH_TRANSITION = 20
HIGHEST_RATE = 60

ENCODING = Encoding("h264", crf=EDIT_CRF["h264"])


class Transition(Parameters):
    type: Literal[
        "fade", "dissolve", "fadeblack", "fadewhite", "wipeleft", "wiperight", "wipeup",
        "wipedown", "slideleft", "slideright", "circleopen", "circleclose",
    ] = "fade"  # fmt: skip
    """How one clip becomes the next; the names are those of FFmpeg's xfade."""
    duration: Annotated[float, Field(ge=0.1, le=10, json_schema_extra={"unit": "s"}), NOT_BOOL] = (
        1.0
    )
    """How long; both clips are shown meanwhile, so the film gets shorter by it."""


class Concat(Operation):
    """Put clips behind one another.

    Clips of one kind are joined bit by bit. Others are brought to the size of the first and to
    the highest frame rate among them, with bars where the shape differs; a silent clip among
    clips with sound is silent for its length. The job's ``result`` says when each clip begins.
    """

    path: ClassVar[str] = "video/concat"
    group: ClassVar[str] = "video"
    device: ClassVar[Literal["any", "cpu", "gpu"]] = "any"
    examples: ClassVar[tuple[Example, ...]] = (
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
    """none: a silent film."""

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
        look = self._look(m, clips)
        paths = [f"tmp/{place}.mov" for place in range(len(clips))]
        share = 0.9 / len(clips)
        yield tuple(
            replace(one_clip(m, clip, look, ENCODING, path), share=share)
            for clip, path in zip(clips, paths, strict=True)
        )
        yield self._joined(m, paths, lengths_s, look)
        return report(lengths_s, "encoded")

    @property
    def _is_plain(self) -> bool:
        return self.resolution is None and self.fps is None

    def _length_s(self, clip: Source) -> float:
        clip.need_film()
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

    def _look(self, m: Media, clips: Sequence[Source]) -> Look:
        first = shape_of(clips[0].need_film())
        sized = resize(first, self.resolution, m.device) if self.resolution else []
        rates = [clip.need_film().fps for clip in clips]
        highest = min(HIGHEST_RATE, max(rates)) or 25
        fps = self.fps or str(Fraction(highest).limit_denominator(1001))
        heard = self.audio == "keep" and any(clip.info.has_audio for clip in clips)
        return Look(shape_after(first, sized).even(), fps, has_sound=heard)

    def _copied(self, m: Media, clips: Sequence[Source], lengths_s: Sequence[float]) -> Command:
        form, first = Form.of(clips[0], copies_video=True), clips[0].info
        film = clips[0].need_film()
        tracks = first.audio[:1] if self.audio == "keep" else ()
        held = all(form.container.holds("audio", audio_family(track.codec)) for track in tracks)
        sound = ("-c:a", "copy") if held else ("-c:a", "aac", "-b:a", EDIT_BITRATE)
        args = (
            *("-map", f"0:{film.index}", "-c:v", "copy", *tag_args(film.codec)),
            *(("-map", f"0:{tracks[0].index}", *sound) if tracks else ()),
            *finish(form.container),
        )
        streams = frozenset({"video", "audio"} if tracks else {"video"})
        total_s = sum(lengths_s)
        file = result_file(m, form.container, streams=streams, duration_s=total_s)
        listed = playlist([clip.path for clip in clips], lengths_s)
        demuxer = pin(first.format_name, film.codec) or ""
        return join(
            listed, demuxer, Target(args, file), duration_s=total_s, stage="copying", share=1.0
        )

    def _joined(
        self, m: Media, paths: Sequence[str], lengths_s: Sequence[float], look: Look
    ) -> Command:
        container, total_s = CONTAINERS["mp4"], sum(lengths_s)
        sound = ("-map", "0:a:0", *audio_args(m, Sound("aac", EDIT_BITRATE), None))
        args = (
            *("-map", "0:v:0", "-c:v", "copy"),
            *(sound if look.has_sound else ()),
            *finish(container),
        )
        streams = frozenset({"video", "audio"} if look.has_sound else {"video"})
        file = result_file(m, container, streams=streams, duration_s=total_s)
        target = Target(args, file)
        listed = playlist(paths, lengths_s)
        return join(listed, "mov", target, duration_s=total_s, stage="joining", share=0.1)

    def _faded(
        self,
        m: Media,
        clips: Sequence[Source],
        lengths_s: Sequence[float],
        transition: Transition,
    ) -> Command:
        look = self._look(m, clips)
        graph = fade_graph(m, clips, lengths_s, look, transition)
        total_s = sum(lengths_s) - transition.duration * (len(clips) - 1)
        container = CONTAINERS["mp4"]
        args = (
            *("-map", "[film]", *m.device.encode(ENCODING)),
            *(("-map", f"[a{len(clips) - 1}]") if look.has_sound else ()),
            *(audio_args(m, Sound("aac", EDIT_BITRATE), None) if look.has_sound else ()),
            # xfade repeats the last frame once or twice.
            *("-t", f"{total_s:.6f}"),
            *finish(container),
        )
        streams = frozenset({"video", "audio"} if look.has_sound else {"video"})
        file = result_file(m, container, streams=streams, duration_s=total_s)
        return m.ffmpeg(
            [Input(clip) for clip in clips],
            [Target(args, file)],
            graph=graph,
            duration_s=total_s,
        )


def report(lengths_s: Sequence[float], action: str, overlap_s: float = 0.0) -> Result:
    starts = [0.0, *accumulate(length_s - overlap_s for length_s in lengths_s[:-1])]
    return Result({"action": action, "starts": [round(start, 3) for start in starts]})


def fade_graph(
    m: Media,
    clips: Sequence[Source],
    lengths_s: Sequence[float],
    look: Look,
    transition: Transition,
) -> str:
    """Every clip alike, then each one faded into what is there: [v0]+[c1]=[v1], and so on."""
    parts = []
    for place, clip in enumerate(clips):
        film = clip.need_film()
        alike = m.filters(picture_filters(film, look, m.device))
        # One clock for all, or xfade refuses.
        alike += f",trim=end={lengths_s[place]:.6f},settb=AVTB"
        parts.append(f"[{place}:{film.index}]{alike}[{'c' if place else 'v'}{place}]")
        if look.has_sound:
            parts.append(
                sound_graph(clip, f"{'s' if place else 'a'}{place}", lengths_s[place], place)
            )
    offset_s = 0.0
    for before, place in pairwise(range(len(clips))):
        offset_s += lengths_s[before] - transition.duration
        fade = f"xfade=transition={transition.type}:duration={transition.duration:g}"
        parts.append(f"[v{before}][c{place}]{fade}:offset={offset_s:.6f}[v{place}]")
        if look.has_sound:
            cross = f"acrossfade=d={transition.duration:g}"
            parts.append(f"[a{before}][s{place}]{cross}[a{place}]")
    fed = m.filters((), encoding=ENCODING) or "null"
    return ";".join([*parts, f"[v{len(clips) - 1}]{fed}[film]"])
