"""What becomes of the streams of a source that is converted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from media_jobs.ffmpeg.codecs import CONTAINERS, Container
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.operations.building.time_range import TimeRange
from media_jobs.operations.core import InvalidParams, Result

COPY = "copy"

VIDEO_OPTIONS = (
    "preset",
    "crf",
    "video_bitrate",
    "max_bitrate",
    "two_pass",
    "resolution",
    "fps",
    "pixel_format",
)
AUDIO_OPTIONS = ("audio_bitrate", "sample_rate", "channels")
# What the encoder of a codec has no word for.
_UNKNOWN_TO: dict[str, tuple[str, ...]] = {
    "gif": ("preset", "video_bitrate", "max_bitrate", "pixel_format"),
    "webp": ("preset", "video_bitrate", "max_bitrate", "pixel_format"),
    "prores": ("video_bitrate", "max_bitrate", "pixel_format"),
}


@dataclass(frozen=True)
class StreamPlan:
    """What becomes of each kind of stream: a codec to encode to, "copy", or nothing."""

    container: Container
    cut: TimeRange
    video: str | None
    audio: str | None
    warnings: tuple[str, ...] = ()

    @property
    def streams(self) -> frozenset[str]:
        kinds = {"video": self.video, "audio": self.audio}
        return frozenset(kind for kind, codec in kinds.items() if codec)

    def report(self, info: MediaInfo) -> Result:
        lost = ("the subtitle streams are not carried over",) if info.subtitles else ()
        video = info.video.codec if info.video else None
        audio = info.audio[0].codec if info.audio else None
        return Result(
            {"video": report_of(self.video, video), "audio": report_of(self.audio, audio)},
            warnings=(*self.cut.warnings, *self.warnings, *lost),
        )


def report_of(codec: str | None, source_codec: str | None) -> dict[str, str | None]:
    if codec is None:
        return {"action": "none", "codec": None}
    if codec == COPY:
        return {"action": "copied", "codec": source_codec}
    return {"action": "encoded", "codec": codec}


def check_holds(name: str, kind: Literal["video", "audio"], codec: str) -> None:
    """``name`` is that of a container."""
    container = CONTAINERS[name]
    if not container.holds(kind, codec):
        held = ", ".join(container.video if kind == "video" else container.audio)
        detail = f"{name} can't hold {codec}; it holds {held}"
        raise InvalidParams(f"{kind}_codec", detail, "unsupported")


def useless(
    container: str, kind: Literal["video", "audio"], asked: str | None
) -> dict[str, tuple[str, str]]:
    """Options of a kind of stream that can change nothing, each with why and the code of it.

    ``asked`` is the codec that was asked for; ``container`` a container's name.
    """
    options = VIDEO_OPTIONS if kind == "video" else AUDIO_OPTIONS
    held = CONTAINERS[container].video if kind == "video" else CONTAINERS[container].audio
    if not held:
        return dict.fromkeys(options, (f"{container} holds no {kind}", "conflict"))
    if asked == "none":
        return dict.fromkeys(options, (f"has no effect: {kind}_codec is none", "conflict"))
    if asked == COPY:
        return dict.fromkeys(options, (f"can't be changed while the {kind} is copied", "conflict"))
    codec = asked or held[0]
    why = (f"can't be chosen for {codec}", "unsupported")
    return dict.fromkeys(_UNKNOWN_TO.get(codec, ()), why)
