"""What operations share that change a video or audio and give it back in the form it came in."""

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
from media_jobs.operations.building.encoding import (
    AudioEncoding,
    audio_args,
    tag_args,
    video_args,
)
from media_jobs.operations.core import Args, Media, Source

# An edited video is often edited again: closer to the source than a last encoding is.
EDIT_CRF = {"h264": 18, "hevc": 20, "av1": 24, "vp9": 24}
EDIT_BITRATE = "192k"

_KEPT_FORMATS = frozenset({"yuv420p", "yuv422p", "yuv444p", "yuv420p10le"})


@dataclass(frozen=True)
class OutputContainer:
    """The container of a source, or the nearest that is written here."""

    container: Container

    @classmethod
    def of(cls, source: Source, *, copies_video: bool = False) -> OutputContainer:
        info = source.info
        usual = container_of(info.format_name, has_video=info.video is not None)
        fallback = "mp4" if info.video else "m4a"
        name = usual or ("mkv" if copies_video and info.video else fallback)
        if copies_video and not holds_video(CONTAINERS[name], info):
            name = "mov" if name == "mp4" and holds_video(CONTAINERS["mov"], info) else "mkv"
        return cls(CONTAINERS[name])

    def video_codec(self, video: VideoStream) -> str:
        return video.codec if video.codec in self.container.video else self.container.video[0]

    def audio_codec(self, track: AudioStream) -> str:
        family = audio_family(track.codec)
        return family if family in self.container.audio else self.container.audio[0]

    def audio_encoding(self, track: AudioStream, channels: int | None = None) -> AudioEncoding:
        """How a changed ``track`` is encoded: in its own codec where that is possible."""
        codec = self.audio_codec(track)
        bitrate = None if codec in LOSSLESS_AUDIO else EDIT_BITRATE
        return AudioEncoding(codec, bitrate, channels=channels)

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
    m: Media,
    output: OutputContainer,
    video: VideoStream,
    filters: Sequence[Filter],
    index: int = 0,
) -> Args:
    codec = output.video_codec(video)
    kept = video.pix_fmt if video.pix_fmt in _KEPT_FORMATS else "yuv420p"
    encoding = Encoding(
        codec=codec,
        crf=EDIT_CRF.get(codec),
        # SVT-AV1 and most players of H.264 know no more than this.
        pixel_format=kept if codec in {"hevc", "vp9"} else "yuv420p",
    )
    return ("-map", f"{index}:{video.index}", *video_args(m, video, encoding, filters))


def copied_video(video: VideoStream) -> Args:
    return ("-map", f"0:{video.index}", "-c:v", "copy", *tag_args(video.codec))


def encoded_audio(m: Media, output: OutputContainer, tracks: Sequence[AudioStream]) -> Args:
    """All tracks in the codec of the first."""
    if not tracks or not output.container.audio:
        return ()
    return (*mapped(tracks), *audio_args(m, output.audio_encoding(tracks[0]), tracks))


def kept_audio(m: Media, output: OutputContainer, tracks: Sequence[AudioStream]) -> Args:
    """Copied where the container holds it as it is."""
    held = all(output.container.holds("audio", audio_family(track.codec)) for track in tracks)
    if tracks and held:
        return (*mapped(tracks), "-c:a", "copy")
    return encoded_audio(m, output, tracks)


def mapped(tracks: Sequence[AudioStream]) -> Args:
    return tuple(arg for track in tracks for arg in ("-map", f"0:{track.index}"))
