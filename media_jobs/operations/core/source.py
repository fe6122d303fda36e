"""A source of a job, and how FFmpeg is told to read it."""

from __future__ import annotations

from dataclasses import dataclass

from media_jobs.ffmpeg.demuxers import is_picture, pin
from media_jobs.ffmpeg.devices import Device
from media_jobs.ffmpeg.media_info import MediaInfo, VideoStream
from media_jobs.operations.core.errors import InvalidParams

Args = tuple[str, ...]

# FFmpeg counts time in whole microseconds, and takes a length of none for no bound.
LEAST_S = 0.000_001


@dataclass(frozen=True)
class Source:
    path: str
    info: MediaInfo
    name: str = ""
    role: str = "input"

    @property
    def stem(self) -> str:
        """The source's name without its ending, to call the results by."""
        return self.name.rpartition(".")[0] or self.name or "result"

    @property
    def is_image(self) -> bool:
        return is_picture(self.info.format_name)

    @property
    def duration_s(self) -> float:
        """Length of the whole file; 0.0 for an image or where nothing says it."""
        return self.info.duration_s or 0.0

    def need_frames(self) -> VideoStream:
        """The stream of a video, or of an image."""
        video = self.info.video
        if video is None or video.width < 1 or video.height < 1:
            raise InvalidParams(self.role, "the source has no video", "no_video")
        return video

    def need_video(self) -> VideoStream:
        video = self.need_frames()
        if self.is_image:
            raise InvalidParams(self.role, "the source is a picture, not a video", "no_video")
        return video

    def need_audio(self) -> None:
        if not self.info.has_audio:
            raise InvalidParams(self.role, "the source has no audio", "no_audio")

    def video_duration_s(self) -> float:
        video = self.info.video
        return (video.duration_s if video else None) or self.duration_s


@dataclass(frozen=True)
class Input:
    """One ``-i``: the source from ``start_s`` for ``length_s``; ``options`` go before it."""

    source: Source
    start_s: float = 0.0
    length_s: float | None = None
    options: Args = ()
    is_decoded_by_device: bool = False

    def argv(self, device: Device) -> Args:
        source = self.source
        return (
            *(device.decode(source.info.video) if self.is_decoded_by_device else ()),
            *self.options,
            *reading(source),
            *(("-ss", f"{self.start_s:.6f}") if self.start_s else ()),
            *(() if self.length_s is None else ("-t", f"{max(self.length_s, LEAST_S):.6f}")),
            "-i",
            source.path,
        )


def reading(source: Source) -> Args:
    """Hold FFmpeg to the one file and to the demuxer that the probe found.

    Without it a playlist that is named ``.mp4`` would be followed to other files.
    """
    video = source.info.video
    demuxer = pin(source.info.format_name, video.codec if video else None)
    if demuxer is None:
        kind = source.info.format_name or "unknown"
        raise InvalidParams(source.role, f"files of this kind ({kind}) are not read", "bad_format")
    return (
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        demuxer,
        "-f",
        demuxer,
    )
