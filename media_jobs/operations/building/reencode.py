"""What operations share that change a film or sound and give it back in the form it came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media_jobs.ffmpeg.codecs import (
    CONTAINERS,
    LOSSLESS_AUDIO,
    Container,
    audio_family,
    container_of,
)
from media_jobs.ffmpeg.devices import Encoding
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.media_info import AudioStream, MediaInfo, VideoStream
from media_jobs.operations.building.encoding import Sound, audio_args, tag_args, video_args
from media_jobs.operations.core.media import Args, Media, Source

# An edited film is often edited again: closer to the source than a last encoding is.
EDIT_CRF = {"h264": 18, "hevc": 20, "av1": 24, "vp9": 24}
EDIT_BITRATE = "192k"

_KEPT_FORMATS = frozenset({"yuv420p", "yuv422p", "yuv444p", "yuv420p10le"})


@dataclass(frozen=True)
class Form:
    """The container of a source, or the nearest that is written here."""

    container: Container

    @classmethod
    def of(cls, source: Source, *, copies_video: bool = False) -> Form:
        info = source.info
        usual = container_of(info.format_name, has_video=info.video is not None)
        fallback = "mp4" if info.video else "m4a"
        name = usual or ("mkv" if copies_video and info.video else fallback)
        if copies_video and not holds_video(CONTAINERS[name], info):
            name = "mov" if name == "mp4" and holds_video(CONTAINERS["mov"], info) else "mkv"
        return cls(CONTAINERS[name])

    def video_codec(self, film: VideoStream) -> str:
        return film.codec if film.codec in self.container.video else self.container.video[0]

    def audio_codec(self, track: AudioStream) -> str:
        family = audio_family(track.codec)
        return family if family in self.container.audio else self.container.audio[0]

    def streams(self, info: MediaInfo) -> frozenset[str]:
        kinds = []
        if info.video is not None and self.container.video:
            kinds.append("video")
        if info.has_audio and self.container.audio:
            kinds.append("audio")
        return frozenset(kinds)


def holds_video(container: Container, info: MediaInfo) -> bool:
    return info.video is None or container.holds("video", info.video.codec)


def edited_video(
    m: Media, form: Form, film: VideoStream, filters: Sequence[Filter], index: int = 0
) -> Args:
    codec = form.video_codec(film)
    kept = film.pix_fmt if film.pix_fmt in _KEPT_FORMATS else "yuv420p"
    encoding = Encoding(
        codec=codec,
        crf=EDIT_CRF.get(codec),
        # SVT-AV1 and most players of H.264 know no more than this.
        pixel_format=kept if codec in {"hevc", "vp9"} else "yuv420p",
    )
    return ("-map", f"{index}:{film.index}", *video_args(m, film, encoding, filters))


def copied_video(film: VideoStream) -> Args:
    return ("-map", f"0:{film.index}", "-c:v", "copy", *tag_args(film.codec))


def encoded_audio(m: Media, form: Form, tracks: Sequence[AudioStream]) -> Args:
    """All tracks in the codec of the first."""
    if not tracks or not form.container.audio:
        return ()
    codec = form.audio_codec(tracks[0])
    bitrate = None if codec in LOSSLESS_AUDIO else EDIT_BITRATE
    largest = max(tracks, key=lambda track: track.channels)
    return (*mapped(tracks), *audio_args(m, Sound(codec, bitrate), largest))


def kept_audio(m: Media, form: Form, tracks: Sequence[AudioStream]) -> Args:
    """Copied where the container holds it as it is."""
    held = all(form.container.holds("audio", audio_family(track.codec)) for track in tracks)
    return (*mapped(tracks), "-c:a", "copy") if tracks and held else encoded_audio(m, form, tracks)


def mapped(tracks: Sequence[AudioStream]) -> Args:
    return tuple(arg for track in tracks for arg in ("-map", f"0:{track.index}"))
