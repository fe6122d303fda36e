"""Containers and codecs: what goes into what, and what each is called outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

VideoCodec = Literal["h264", "hevc", "av1", "vp9", "prores", "gif", "webp"]
AudioCodec = Literal["aac", "opus", "mp3", "flac", "pcm", "vorbis"]


@dataclass(frozen=True)
class Container:
    """``video`` and ``audio`` are the codecs it may hold, the first being the usual one."""

    muxer: str
    extension: str
    content_type: str
    video: tuple[str, ...]
    audio: tuple[str, ...]
    args: tuple[str, ...] = ()

    def holds(self, kind: Literal["video", "audio"], codec: str) -> bool:
        return codec in (self.video if kind == "video" else self.audio)


CONTAINERS: dict[str, Container] = {
    "mp4": Container(
        "mp4", "mp4", "video/mp4", ("h264", "hevc", "av1", "vp9"), ("aac", "mp3", "opus", "flac")
    ),
    "mov": Container("mov", "mov", "video/quicktime", ("h264", "hevc", "prores"), ("aac", "pcm")),
    "mkv": Container(
        "matroska",
        "mkv",
        "video/x-matroska",
        ("h264", "hevc", "av1", "vp9", "prores"),
        ("aac", "opus", "mp3", "flac", "pcm", "vorbis"),
    ),
    "webm": Container("webm", "webm", "video/webm", ("vp9", "av1"), ("opus", "vorbis")),
    "ts": Container("mpegts", "ts", "video/mp2t", ("h264", "hevc"), ("aac", "mp3")),
    # -loop 0 repeats for ever, which is what a moving picture on a page is expected to do.
    "gif": Container("gif", "gif", "image/gif", ("gif",), (), ("-loop", "0")),
    "webp": Container("webp", "webp", "image/webp", ("webp",), (), ("-loop", "0")),
    "mp3": Container("mp3", "mp3", "audio/mpeg", (), ("mp3",)),
    "aac": Container("adts", "aac", "audio/aac", (), ("aac",)),
    "m4a": Container("ipod", "m4a", "audio/mp4", (), ("aac",)),
    "opus": Container("opus", "opus", "audio/ogg", (), ("opus",)),
    "ogg": Container("ogg", "ogg", "audio/ogg", (), ("vorbis", "opus", "flac")),
    "flac": Container("flac", "flac", "audio/flac", (), ("flac",)),
    "wav": Container("wav", "wav", "audio/wav", (), ("pcm",)),
}

ContainerName = Literal[
    "mp4", "mov", "mkv", "webm", "ts", "gif", "webp",
    "mp3", "aac", "m4a", "opus", "ogg", "flac", "wav",
]  # fmt: skip

# Containers of the QuickTime family keep their index at the end unless told otherwise.
QUICKTIME = frozenset({"mp4", "mov", "ipod"})

AUDIO_ENCODERS: dict[str, str] = {
    "aac": "aac",
    "opus": "libopus",
    "mp3": "libmp3lame",
    "flac": "flac",
    "pcm": "pcm_s16le",
    "vorbis": "libvorbis",
}

LOSSLESS_AUDIO = frozenset({"flac", "pcm"})

# LAME takes more for this much, without a word.
HIGHEST_AUDIO_BITRATE: dict[str, str] = {"mp3": "320k"}

SAMPLE_RATES: dict[str, frozenset[int]] = {
    "opus": frozenset({8000, 12000, 16000, 24000, 48000}),
    "mp3": frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}),
}

# mp3 knows two channels at most; the others take all that a source brings.
MOST_CHANNELS: dict[str, int] = {"mp3": 2}

_PROBED_CONTAINERS = {
    "matroska": "mkv",
    "mov": "mp4",
    "mpegts": "ts",
    "ogg": "ogg",
    "gif": "gif",
    "mp3": "mp3",
    "aac": "aac",
    "flac": "flac",
    "wav": "wav",
}


def container_of(format_name: str, *, has_video: bool) -> str | None:
    """Our name of a probed container; ``None`` where we write no such files."""
    name = _PROBED_CONTAINERS.get(format_name.partition(",")[0])
    if name == "mp4" and not has_video:
        return "m4a"
    # Ogg above all holds films too, which are not written here.
    return None if name and has_video and not CONTAINERS[name].video else name


def audio_family(codec: str) -> str:
    """All of pcm_s16le, pcm_f32le and their like are "pcm"."""
    return "pcm" if codec.startswith("pcm_") else codec


@dataclass(frozen=True)
class PictureFormat:
    content_type: str
    args: tuple[str, ...]


PICTURES: dict[str, PictureFormat] = {
    # 2 is visually lossless; JPEG's samples fill the whole range, which the "j" says.
    "jpg": PictureFormat("image/jpeg", ("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p")),
    "png": PictureFormat("image/png", ("-c:v", "png", "-pix_fmt", "rgb24")),
    "webp": PictureFormat("image/webp", ("-c:v", "libwebp", "-quality", "85")),
}
PictureName = Literal["jpg", "png", "webp"]
