"""Convert between containers and codecs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal

from pydantic import model_validator

from media_jobs.ffmpeg.codecs import CONTAINERS, QUICKTIME, Container, ContainerName, audio_family
from media_jobs.ffmpeg.devices import HIGHEST_CRF, TWO_PASS, Encoding
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.operations.building import (
    AUDIO_OPTIONS,
    COPY,
    NO_METADATA,
    VIDEO_OPTIONS,
    AudioEncoding,
    Resolution,
    StreamPlan,
    TimeRange,
    audio_args,
    check_bitrate,
    check_holds,
    copied_video,
    displayed_size,
    finish,
    made_even,
    mapped,
    resize,
    result_file,
    stored_size,
    useless,
    video_args,
)
from media_jobs.operations.core import (
    Args,
    Bitrate,
    Channels,
    Command,
    Crf,
    Example,
    FrameRate,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    SampleRate,
    Seconds,
    Steps,
    Target,
    bits_per_second,
)

PROFILES: dict[str, dict[str, Any]] = {
    "web_optimized": {"video_codec": "h264", "crf": 23, "max_bitrate": "5M"},
    "archive_quality": {"video_codec": "hevc", "crf": 18, "preset": "quality"},
    "mobile_friendly": {"video_codec": "h264", "crf": 28, "resolution": "720p", "fps": "30"},
}

Run = Literal["only", "first", "second"]
SHARES: dict[Run, float] = {"only": 1.0, "first": 0.4, "second": 0.6}


class Transcode(Operation):
    """Convert a video or audio to another container, codec, size or rate.

    What already is as it was asked for is copied bit by bit instead of encoded again, and the
    job's ``result`` says so for video and audio each; ``when_conformant`` or an explicit ``crf``
    or bit rate turns that off. Frames keep their times unless ``fps`` is given, audio keeps its
    distance to the video, a rotated video is turned upright, an odd size loses its odd line.
    """

    path = "transcode"
    group = "video"
    device = "any"
    examples = (
        Example(
            "to MP4 for the web, 360 lines",
            {"input": "film_mkv"},
            {"output_format": "mp4", "resolution": "360p", "crf": 28, "preset": "fast"},
            expect={"video": "h264", "audio": "aac", "width": 640, "height": 360, "duration_s": 4},
        ),
        Example(
            "already as asked for: copied",
            {"input": "film"},
            {"output_format": "mp4", "video_codec": "h264"},
            expect={"video": "h264", "audio": "aac", "duration_s": 4},
        ),
        Example(
            "WebM at 12.5 frames a second",
            {"input": "film"},
            {"output_format": "webm", "fps": 12.5, "preset": "fast", "crf": 50},
            expect={"video": "vp9", "audio": "opus", "fps": 12.5, "duration_s": 4},
        ),
        Example(
            "two passes to a bit rate",
            {"input": "film"},
            {"video_bitrate": "400k", "two_pass": True, "preset": "fast"},
            expect={"video": "h264", "duration_s": 4},
        ),
        Example(
            "only the sound",
            {"input": "film"},
            {"output_format": "mp3", "audio_bitrate": "128k"},
            expect={"audio": "mp3", "duration_s": 4},
        ),
        Example(
            "one second as a GIF",
            {"input": "film"},
            {"output_format": "gif", "start": 1, "end": 2, "fps": 10, "resolution": {"width": 160}},
            expect={"video": "gif", "width": 160, "duration_s": 1},
        ),
    )

    input: MediaRef
    """The video or audio to convert."""
    output_format: ContainerName = "mp4"
    """Container of the result; those of audio alone leave the video out."""
    video_codec: Literal["h264", "hevc", "av1", "vp9", "prores", "copy", "none"] | None = None
    """The container's usual one when absent."""
    audio_codec: Literal["aac", "opus", "mp3", "flac", "pcm", "vorbis", "copy", "none"] | None = (
        None
    )
    """The container's usual one when absent."""
    preset: Literal["fast", "balanced", "quality"] = "balanced"
    """How much time the encoder may take for the same quality in fewer bytes."""
    profile: Literal["web_optimized", "archive_quality", "mobile_friendly"] | None = None
    """A named set of the parameters below; what is given explicitly wins."""
    crf: Crf | None = None
    """Constant quality, lower is better: 23 for h264, 26 for hevc, 32 for vp9 and av1 when
    absent."""
    video_bitrate: Bitrate | None = None
    """Mean bit rate instead of a constant quality."""
    max_bitrate: Bitrate | None = None
    """Bound of the bit rate over two seconds."""
    two_pass: bool = False
    """Measure first, encode then: closer to ``video_bitrate``, which it needs."""
    resolution: Resolution | None = None
    """A name, or width and height with a fit; the source's size when absent."""
    fps: FrameRate | None = None
    """Constant frame rate; the source's frame times when absent."""
    pixel_format: Literal["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"] | None = None
    """yuv420p when absent: the only one that every player shows."""
    start: Seconds = 0.0
    """Where to begin in the source."""
    end: Seconds | None = None
    """Where to stop in the source; its end when absent."""
    audio_bitrate: Bitrate | None = None
    """The encoder's usual one when absent."""
    sample_rate: SampleRate | None = None
    """The source's when absent."""
    channels: Channels | None = None
    """The source's when absent."""
    faststart: bool = True
    """Put the index of MP4 and MOV in front, so that playing can start while loading."""
    keep_metadata: bool = True
    """Carry titles, dates, places and chapters over."""
    when_conformant: Literal["copy", "encode"] = "copy"
    """What to do with a stream that already is as asked for."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in_profile(cls, data: Any) -> Any:
        named = PROFILES.get(str(data.get("profile"))) if isinstance(data, dict) else None
        if named is None:
            return data
        rival = {"crf"} if "video_bitrate" in data else set()
        return {key: value for key, value in named.items() if key not in rival} | data

    def steps(self, m: Media) -> Steps:
        plan = self._plan(m)
        if self.two_pass and plan.video not in {None, COPY}:
            yield self._run(m, plan, "first")
            yield self._run(m, plan, "second")
        else:
            yield self._run(m, plan, "only")
        return plan.report(m.source.info)

    def _plan(self, m: Media) -> StreamPlan:
        container = CONTAINERS[self.output_format]
        self._check_effects()
        if m.source.info.video is not None:
            m.source.need_video()
        video = m.source.info.video if container.video and self.video_codec != "none" else None
        is_copied = self.video_codec == COPY
        cut = TimeRange.of(m.source, self.start, self.end, video=video, is_copied=is_copied)
        self._check_length(cut, video)
        plan = StreamPlan(
            container,
            cut,
            self._planned_video(m, container, cut),
            self._planned_audio(m, container, cut),
            tuple(self._without_effect(m)),
        )
        if not plan.streams:
            raise InvalidParams("input", "no stream of the source is left to write", "no_streams")
        self._check_rate(plan.video)
        return plan

    def _check_length(self, cut: TimeRange, video: VideoStream | None) -> None:
        if video is None or self.fps is None or cut.length_s is None:
            return
        # As much is rounded away where times are written in whole milliseconds.
        if cut.length_s + 0.001 < 1 / frames_per_second(self.fps):
            detail = "is shorter than one frame of the rate asked for"
            raise InvalidParams("end", detail, "out_of_range")

    def _planned_video(self, m: Media, container: Container, cut: TimeRange) -> str | None:
        if not container.video and self.video_codec not in {None, "none"}:
            raise InvalidParams("video_codec", f"{self.output_format} holds no video")
        if not container.video or self.video_codec == "none":
            return None
        if not container.audio:
            m.source.need_video()
        video = m.source.info.video
        if video is None:
            return None
        if self.video_codec == COPY:
            return self._copied_video(video)
        wanted = self.video_codec or container.video[0]
        check_holds(self.output_format, "video", wanted)
        conforms = cut.is_whole and self._video_conforms(m, video, wanted)
        return COPY if conforms else wanted

    def _planned_audio(self, m: Media, container: Container, cut: TimeRange) -> str | None:
        tracks = m.source.info.audio
        if not container.audio and self.audio_codec not in {None, "none"}:
            raise InvalidParams("audio_codec", f"{self.output_format} holds no audio")
        if not container.audio or self.audio_codec == "none":
            return None
        if not container.video:
            m.source.need_audio()
        if not tracks:
            return None
        codecs = {audio_family(track.codec) for track in tracks}
        if self.audio_codec == COPY:
            for codec in codecs:
                check_holds(self.output_format, "audio", codec)
            return COPY
        wanted = self.audio_codec or container.audio[0]
        check_holds(self.output_format, "audio", wanted)
        check_bitrate("audio_bitrate", wanted, self.audio_bitrate)
        conforms = codecs == {wanted} and cut.is_whole and self._audio_conforms(m)
        return COPY if conforms else wanted

    def _copied_video(self, video: VideoStream) -> str:
        check_holds(self.output_format, "video", video.codec)
        return COPY

    def _check_effects(self) -> None:
        """Refuse what can change nothing of what is asked for, whatever the source is."""
        for name, (why, code) in (
            *useless(self.output_format, "video", self.video_codec).items(),
            *useless(self.output_format, "audio", self.audio_codec).items(),
        ):
            if self._asks_for(name):
                raise InvalidParams(self._given_as(name), why, code)
        held = CONTAINERS[self.output_format].video
        if self._given_as("video_codec") == "profile" and self.video_codec not in held:
            detail = f"it is for {self.video_codec}; {self.output_format} holds {', '.join(held)}"
            raise InvalidParams("profile", detail, "unsupported")
        if not self.faststart and CONTAINERS[self.output_format].muxer not in QUICKTIME:
            detail = f"{self.output_format} has no index that could be in front"
            raise InvalidParams("faststart", detail, "unsupported")

    def _without_effect(self, m: Media) -> Iterator[str]:
        """What only the source makes useless is no mistake: many are often converted alike."""
        info = m.source.info
        for kind, is_there, options in (
            ("video", info.video is not None, VIDEO_OPTIONS),
            ("audio", info.has_audio, AUDIO_OPTIONS),
        ):
            asked = dict.fromkeys(self._given_as(name) for name in options if self._asks_for(name))
            if asked and not is_there:
                yield f"without effect, for the source has no {kind}: {', '.join(asked)}"

    def _asks_for(self, name: str) -> bool:
        return bool(getattr(self, name) != type(self).model_fields[name].default)

    def _given_as(self, name: str) -> str:
        """The profile where the value is the profile's."""
        of_profile = PROFILES.get(self.profile or "", {})
        is_its = name in of_profile and of_profile[name] == getattr(self, name)
        return "profile" if is_its else name

    def _video_conforms(self, m: Media, video: VideoStream, wanted: str) -> bool:
        asked_quality = self.crf is not None or self.video_bitrate is not None or self.two_pass
        if self.when_conformant == "encode" or asked_quality or video.codec != wanted:
            return False
        turned_away = video.rotation and self.output_format in {"ts", "webm"}
        pixel_formats = {self.pixel_format or "yuv420p"}
        return (
            not turned_away
            and video.pix_fmt.replace("yuvj", "yuv") in pixel_formats
            and not made_even(stored_size(video))
            and self._size_conforms(m, video)
            and self._rate_conforms(video)
        )

    def _size_conforms(self, m: Media, video: VideoStream) -> bool:
        if self.resolution is None:
            return True
        seen = displayed_size(video)
        scale = resize(seen, self.resolution, m.device)[0]
        wanted = dict(scale.options)
        size = (wanted["w"], wanted["h"])
        return size == (seen.width, seen.height) == (video.width, video.height)

    def _rate_conforms(self, video: VideoStream) -> bool:
        if self.max_bitrate and not 0 < (video.bit_rate or 0) <= bits_per_second(self.max_bitrate):
            return False
        if self.fps is None:
            return True
        return not video.is_vfr and abs(frames_per_second(self.fps) - video.fps) < 0.005

    def _audio_conforms(self, m: Media) -> bool:
        if self.when_conformant == "encode" or self.audio_bitrate is not None:
            return False
        return all(
            self.sample_rate in {None, track.sample_rate}
            and self.channels in {None, track.channels}
            for track in m.source.info.audio
        )

    def _check_rate(self, codec: str | None) -> None:
        if self.crf is not None and self.video_bitrate is not None:
            raise InvalidParams("crf", "give either crf or video_bitrate", "conflict")
        if self.two_pass and self.video_bitrate is None:
            raise InvalidParams("two_pass", "needs a video_bitrate to aim at", "conflict")
        if codec in {None, COPY}:
            return
        if self.two_pass and codec not in TWO_PASS:
            raise InvalidParams("two_pass", f"{codec} is encoded in one pass", "unsupported")
        highest = HIGHEST_CRF.get(str(codec))
        if self.crf is not None and (highest is None or self.crf > highest):
            limit = f"goes to {highest}" if highest else "has no constant quality"
            raise InvalidParams("crf", f"{codec} {limit}", "out_of_range")
        if codec == "av1" and self.pixel_format in {"yuv422p", "yuv444p"}:
            raise InvalidParams("pixel_format", "av1 is encoded as 4:2:0", "unsupported")

    def _run(self, m: Media, plan: StreamPlan, run: Run) -> Command:
        video = self._video_args(m, plan, run)
        if run == "first":
            # The first pass leaves only its log in tmp/.
            target = Target((*video, "-an"))
        else:
            target = self._result(m, plan, (*video, *self._audio_args(m, plan)))
        encodes = plan.video not in {None, COPY}
        return m.ffmpeg(
            [Input(m.source, plan.cut.start_s, plan.cut.length_s, is_decoded_by_device=encodes)],
            [target],
            stage="measuring" if run == "first" else "encoding" if encodes else "copying",
            duration_s=plan.cut.planned_s,
            share=SHARES[run],
        )

    def _result(self, m: Media, plan: StreamPlan, streams: Args) -> Target:
        args = (
            *streams,
            *(() if self.keep_metadata else NO_METADATA),
            *finish(plan.container, faststart=self.faststart),
        )
        duration_s = plan.cut.planned_s
        return Target(
            args, result_file(m, plan.container, streams=plan.streams, duration_s=duration_s)
        )

    def _video_args(self, m: Media, plan: StreamPlan, run: Run) -> Args:
        video = m.source.info.video
        if video is None or plan.video is None:
            return ()
        if plan.video == COPY:
            return copied_video(video)
        encoding = Encoding(
            codec=plan.video,
            preset=self.preset,
            crf=self.crf,
            bitrate=self.video_bitrate,
            max_bitrate=self.max_bitrate,
            pixel_format=self.pixel_format or "yuv420p",
            run=run,
        )
        filters = self._filters(m, video, plan.video)
        return ("-map", f"0:{video.index}", *video_args(m, video, encoding, filters))

    def _filters(self, m: Media, video: VideoStream, codec: str) -> list[Filter]:
        rate = [Filter("fps", cuda="fps", fps=self.fps)] if self.fps else []
        if self.resolution:
            return [*rate, *resize(displayed_size(video), self.resolution, m.device)]
        return [*rate, *([] if codec in {"gif", "webp"} else made_even(stored_size(video)))]

    def _audio_args(self, m: Media, plan: StreamPlan) -> Args:
        tracks = m.source.info.audio
        if plan.audio is None or not tracks:
            return ()
        kept = tracks if plan.container.video else tracks[:1]
        if plan.audio == COPY:
            return (*mapped(kept), "-c:a", "copy")
        encoding = AudioEncoding(plan.audio, self.audio_bitrate, self.sample_rate, self.channels)
        return (*mapped(kept), *audio_args(m, encoding, kept))


def frames_per_second(rate: str) -> float:
    return float(Fraction(rate))
