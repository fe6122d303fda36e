"""Convert between containers and codecs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from media_jobs.ffmpeg.codecs import CONTAINERS, QUICKTIME, Container, ContainerName, audio_family
from media_jobs.ffmpeg.devices import HIGHEST_CRF, TWO_PASS, Encoding
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.operations.building.encoding import (
    NO_METADATA,
    Sound,
    audio_args,
    check_bitrate,
    finish,
    result_file,
    tag_args,
    video_args,
)
from media_jobs.operations.building.sizes import (
    Resolution,
    made_even,
    resize,
    shape_of,
    stored_shape,
)
from media_jobs.operations.building.stream_plan import (
    AUDIO_OPTIONS,
    COPY,
    VIDEO_OPTIONS,
    Ways,
    check_holds,
    useless,
)
from media_jobs.operations.building.time_range import Span, span
from media_jobs.operations.core import (
    Command,
    Example,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Steps,
    Target,
)
from media_jobs.operations.core.fields import (
    Bitrate,
    Channels,
    Crf,
    FrameRate,
    SampleRate,
    Seconds,
    bits_per_second,
)

PROFILES: dict[str, dict[str, Any]] = {
    "web_optimized": {"video_codec": "h264", "crf": 23, "max_bitrate": "5M"},
    "archive_quality": {"video_codec": "hevc", "crf": 18, "preset": "quality"},
    "mobile_friendly": {"video_codec": "h264", "crf": 28, "resolution": "720p", "fps": "30"},
}

SHARES = {"only": 1.0, "first": 0.4, "second": 0.6}


class Transcode(Operation):
    """Convert a film or a sound to another container, codec, size or rate.

    What already is as it was asked for is copied bit by bit instead of encoded again, and the
    job's ``result`` says so for video and audio each; ``when_conformant`` or an explicit ``crf``
    or bit rate turns that off. Frames keep their times unless ``fps`` is given, sound keeps its
    distance to the picture, a rotated film is turned upright, an odd size loses its odd line.
    """

    path: ClassVar[str] = "transcode"
    group: ClassVar[str] = "video"
    device: ClassVar[Literal["any", "cpu", "gpu"]] = "any"
    examples: ClassVar[tuple[Example, ...]] = (
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
    """The film or sound to convert."""
    output_format: ContainerName = "mp4"
    """Container of the result; those of sound alone leave the picture out."""
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
        ways = self._ways(m)
        if self.two_pass and ways.video not in {None, COPY}:
            yield self._run(m, ways, "first")
            yield self._run(m, ways, "second")
        else:
            yield self._run(m, ways, "only")
        return ways.report(m.source.info)

    def _ways(self, m: Media) -> Ways:
        container = CONTAINERS[self.output_format]
        self._check_effects()
        if m.source.info.video is not None:
            m.source.need_film()
        film = m.source.info.video if container.video and self.video_codec != "none" else None
        cut = span(m.source, self.start, self.end, film=film, is_copied=self.video_codec == COPY)
        self._check_length(cut, film)
        ways = Ways(
            container,
            cut,
            self._video_way(m, container, cut),
            self._audio_way(m, container, cut),
            tuple(self._without_effect(m)),
        )
        if not ways.streams:
            raise InvalidParams("input", "no stream of the source is left to write", "no_streams")
        self._check_rate(ways.video)
        return ways

    def _check_length(self, cut: Span, film: VideoStream | None) -> None:
        if film is None or self.fps is None or cut.length_s is None:
            return
        # As much is rounded away where times are written in whole milliseconds.
        if cut.length_s + 0.001 < 1 / frames_per_second(self.fps):
            detail = "is shorter than one frame of the rate asked for"
            raise InvalidParams("end", detail, "out_of_range")

    def _video_way(self, m: Media, container: Container, cut: Span) -> str | None:
        if not container.video and self.video_codec not in {None, "none"}:
            raise InvalidParams("video_codec", f"{self.output_format} holds no video")
        if not container.video or self.video_codec == "none":
            return None
        if not container.audio:
            m.source.need_film()
        film = m.source.info.video
        if film is None:
            return None
        if self.video_codec == COPY:
            return self._copied_video(film)
        wanted = self.video_codec or container.video[0]
        check_holds(self.output_format, "video", wanted)
        conforms = cut.is_whole and self._video_conforms(m, film, wanted)
        return COPY if conforms else wanted

    def _audio_way(self, m: Media, container: Container, cut: Span) -> str | None:
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

    def _copied_video(self, film: VideoStream) -> str:
        check_holds(self.output_format, "video", film.codec)
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

    def _video_conforms(self, m: Media, film: VideoStream, wanted: str) -> bool:
        asked_quality = self.crf is not None or self.video_bitrate is not None or self.two_pass
        if self.when_conformant == "encode" or asked_quality or film.codec != wanted:
            return False
        turned_away = film.rotation and self.output_format in {"ts", "webm"}
        pixel_formats = {self.pixel_format or "yuv420p"}
        return (
            not turned_away
            and film.pix_fmt.replace("yuvj", "yuv") in pixel_formats
            and not made_even(stored_shape(film))
            and self._size_conforms(m, film)
            and self._rate_conforms(film)
        )

    def _size_conforms(self, m: Media, film: VideoStream) -> bool:
        if self.resolution is None:
            return True
        seen = shape_of(film)
        scale = resize(seen, self.resolution, m.device)[0]
        wanted = dict(scale.options)
        return (wanted["w"], wanted["h"]) == (seen.width, seen.height) == (film.width, film.height)

    def _rate_conforms(self, film: VideoStream) -> bool:
        if self.max_bitrate and not 0 < (film.bit_rate or 0) <= bits_per_second(self.max_bitrate):
            return False
        if self.fps is None:
            return True
        return not film.is_vfr and abs(frames_per_second(self.fps) - film.fps) < 0.005

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

    def _run(self, m: Media, ways: Ways, run: Literal["only", "first", "second"]) -> Command:
        video = self._video_args(m, ways, run)
        if run == "first":
            # The first pass leaves only its log in tmp/.
            targets = [Target((*video, "-an"))]
        else:
            targets = [
                Target(
                    (
                        *video,
                        *self._audio_args(m, ways),
                        *(() if self.keep_metadata else NO_METADATA),
                        *finish(ways.container, faststart=self.faststart),
                    ),
                    result_file(
                        m, ways.container, streams=ways.streams, duration_s=ways.cut.planned_s
                    ),
                )
            ]
        encodes = ways.video not in {None, COPY}
        return m.ffmpeg(
            [Input(m.source, ways.cut.start_s, ways.cut.length_s, is_decoded_by_device=encodes)],
            targets,
            stage="measuring" if run == "first" else "encoding" if encodes else "copying",
            duration_s=ways.cut.planned_s,
            share=SHARES[run],
        )

    def _video_args(
        self, m: Media, ways: Ways, run: Literal["only", "first", "second"]
    ) -> tuple[str, ...]:
        film = m.source.info.video
        if film is None or ways.video is None:
            return ()
        mapped = ("-map", f"0:{film.index}")
        if ways.video == COPY:
            return (*mapped, "-c:v", "copy", *tag_args(film.codec))
        encoding = Encoding(
            codec=ways.video,
            preset=self.preset,
            crf=self.crf,
            bitrate=self.video_bitrate,
            max_bitrate=self.max_bitrate,
            pixel_format=self.pixel_format or "yuv420p",
            run=run,
        )
        return (*mapped, *video_args(m, film, encoding, self._filters(m, film, ways.video)))

    def _filters(self, m: Media, film: VideoStream, codec: str) -> list[Filter]:
        rate = [Filter("fps", cuda="fps", fps=self.fps)] if self.fps else []
        if self.resolution:
            return [*rate, *resize(shape_of(film), self.resolution, m.device)]
        return [*rate, *([] if codec in {"gif", "webp"} else made_even(stored_shape(film)))]

    def _audio_args(self, m: Media, ways: Ways) -> tuple[str, ...]:
        tracks = m.source.info.audio
        if ways.audio is None or not tracks:
            return ()
        kept = tracks if ways.container.video else tracks[:1]
        mapped = [arg for track in kept for arg in ("-map", f"0:{track.index}")]
        if ways.audio == COPY:
            return (*mapped, "-c:a", "copy")
        sound = Sound(ways.audio, self.audio_bitrate, self.sample_rate, self.channels)
        largest = max(kept, key=lambda track: track.channels)
        return (*mapped, *audio_args(m, sound, largest))


def frames_per_second(rate: str) -> float:
    return float(Fraction(rate))
