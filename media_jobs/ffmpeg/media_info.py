"""What ffprobe says of a file, read once into values that the planning can rely on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from media_jobs.ffmpeg.demuxers import PROBE_WHITELIST

PROBE_ARGS: tuple[str, ...] = (
    "-hide_banner",
    "-v",
    "error",
    # A playlist that calls itself .mp4 must not be followed: no demuxer that opens other files.
    "-protocol_whitelist",
    "file",
    "-format_whitelist",
    PROBE_WHITELIST,
    "-show_format",
    "-show_streams",
    # The hash of a stream's codec header tells whether two streams may be joined uncoded.
    "-show_data_hash",
    "CRC32",
    "-of",
    "json",
)

Json = Mapping[str, Any]

# Some of what ffprobe says is a stranger's own words, and all of it may be. A language tag has at
# most 35 characters (RFC 5646, 4.4.1), and FFmpeg's own names are far shorter than 64.
_LANGUAGE_LENGTH = 35
_NAME_LENGTH = 64
_MOST_STREAMS = 400


@dataclass(frozen=True)
class VideoStream:
    """``width`` and ``height`` are as displayed, after rotation; ``coded_*`` as stored."""

    index: int
    codec: str
    width: int
    height: int
    coded_width: int
    coded_height: int
    rotation: int
    fps: float
    r_fps: float
    pix_fmt: str
    bit_depth: int
    sample_aspect_ratio: float
    frames: int | None
    duration_s: float | None
    start_s: float
    bit_rate: int | None
    profile: str
    header_hash: str
    time_base: str

    @property
    def is_vfr(self) -> bool:
        """A guess: the mean rate and the base rate of a constant stream are the same."""
        return self.fps > 0 and self.r_fps > 0 and abs(self.r_fps - self.fps) / self.fps > 0.005


@dataclass(frozen=True)
class AudioStream:
    index: int
    codec: str
    channels: int
    layout: str
    sample_rate: int
    language: str
    duration_s: float | None
    start_s: float
    bit_rate: int | None
    header_hash: str


@dataclass(frozen=True)
class SubtitleStream:
    index: int
    codec: str
    language: str


@dataclass(frozen=True)
class MediaInfo:
    format_name: str
    duration_s: float | None
    size_bytes: int | None
    bit_rate: int | None
    start_s: float
    video: VideoStream | None
    audio: tuple[AudioStream, ...]
    subtitles: tuple[SubtitleStream, ...]

    @property
    def has_audio(self) -> bool:
        return bool(self.audio)

    @classmethod
    def from_ffprobe(cls, answer: Json) -> MediaInfo:
        """Read ``ffprobe -show_format -show_streams -of json``; junk in a number is no number."""
        head = mapping(answer.get("format"))
        streams = streams_of(answer)
        moving = [stream for stream in of_kind(streams, "video") if not is_picture(stream)]
        lengths = [length for stream in streams if (length := number(stream.get("duration")))]
        return cls(
            format_name=word(head, "format_name", ""),
            duration_s=number(head.get("duration")) or max(lengths, default=None),
            size_bytes=whole(head.get("size")),
            bit_rate=whole(head.get("bit_rate")),
            start_s=number(head.get("start_time")) or 0.0,
            video=read_video(moving[0]) if moving else None,
            audio=tuple(read_audio(stream) for stream in of_kind(streams, "audio")[:_MOST_STREAMS]),
            subtitles=tuple(
                read_subtitle(stream) for stream in of_kind(streams, "subtitle")[:_MOST_STREAMS]
            ),
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Json) -> MediaInfo:
        video = stored["video"]
        return cls(
            **{
                **stored,
                "video": VideoStream(**video) if video else None,
                "audio": tuple(AudioStream(**each) for each in stored["audio"]),
                "subtitles": tuple(SubtitleStream(**each) for each in stored["subtitles"]),
            }
        )


def mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def streams_of(answer: Json) -> list[Json]:
    found = answer.get("streams")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def number(text: object) -> float | None:
    """The leading number of ffprobe's text: "311|" is 311, "N/A" is none."""
    # A number of more digits is junk, and would overflow what is computed with it.
    found = re.match(r"(-?[0-9]{1,18}(\.[0-9]+)?)(?![0-9])", str(text)[:64])
    return float(found[1]) if found else None


def whole(text: object) -> int | None:
    found = number(text)
    return None if found is None else int(found)


def rate(text: object, separator: str = "/") -> float:
    """A ratio such as "30000/1001" or "4:3"; 0.0 where it is unknown."""
    above, _, below = str(text).partition(separator)
    divisor = whole(below or "1")
    return float(Fraction(whole(above) or 0, divisor)) if divisor else 0.0


def of_kind(streams: list[Json], kind: str) -> list[Json]:
    return [stream for stream in streams if stream.get("codec_type") == kind]


def is_picture(stream: Json) -> bool:
    """A cover picture in an audio file is a video stream of one frame; it is not the film."""
    return bool(mapping(stream.get("disposition")).get("attached_pic"))


def word(of: Json, name: str, default: str) -> str:
    return str(of.get(name, default))[:_NAME_LENGTH]


def language(stream: Json) -> str:
    return str(mapping(stream.get("tags")).get("language", "und"))[:_LANGUAGE_LENGTH]


def rotation(stream: Json) -> int:
    """Degrees clockwise in 0, 90, 180, 270; ffprobe counts the other way."""
    sides = stream.get("side_data_list")
    for side in sides if isinstance(sides, list) else []:
        turned = number(mapping(side).get("rotation"))
        if turned is not None:
            return round(-turned / 90) * 90 % 360
    return 0


def bit_depth(stream: Json) -> int:
    """From the pixel format where the stream does not say it: yuv420p10le has ten bits."""
    stated = whole(stream.get("bits_per_raw_sample"))
    found = re.search(r"p0?(9|10|12|14|16)(le|be)?$", word(stream, "pix_fmt", ""))
    return stated or (int(found.group(1)) if found else 8)


def read_video(stream: Json) -> VideoStream:
    turned = rotation(stream)
    width, height = whole(stream.get("width")) or 0, whole(stream.get("height")) or 0
    aspect = rate(stream.get("sample_aspect_ratio", "1:1"), ":") or 1.0
    on_its_side = turned in {90, 270}
    return VideoStream(
        index=whole(stream.get("index")) or 0,
        codec=word(stream, "codec_name", "unknown"),
        width=height if on_its_side else width,
        height=width if on_its_side else height,
        coded_width=width,
        coded_height=height,
        rotation=turned,
        fps=rate(stream.get("avg_frame_rate")) or rate(stream.get("r_frame_rate")),
        r_fps=rate(stream.get("r_frame_rate")),
        pix_fmt=word(stream, "pix_fmt", "unknown"),
        bit_depth=bit_depth(stream),
        sample_aspect_ratio=1 / aspect if on_its_side else aspect,
        frames=whole(stream.get("nb_frames")),
        duration_s=stream_duration_s(stream),
        start_s=number(stream.get("start_time")) or 0.0,
        bit_rate=whole(stream.get("bit_rate")),
        profile=word(stream, "profile", ""),
        header_hash=word(stream, "extradata_hash", ""),
        time_base=word(stream, "time_base", ""),
    )


def stream_duration_s(stream: Json) -> float | None:
    """Matroska keeps a stream's length in a tag: "00:00:04.020000000"."""
    stated = number(stream.get("duration"))
    tag = str(mapping(stream.get("tags")).get("DURATION"))
    tagged = re.match(r"([0-9]{1,9}):([0-9]{1,9}):([0-9]{1,9}(?:\.[0-9]{0,18})?)", tag)
    if stated is not None or tagged is None:
        return stated
    hours, minutes, seconds = tagged.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def read_audio(stream: Json) -> AudioStream:
    return AudioStream(
        index=whole(stream.get("index")) or 0,
        codec=word(stream, "codec_name", "unknown"),
        channels=whole(stream.get("channels")) or 0,
        layout=word(stream, "channel_layout", ""),
        sample_rate=whole(stream.get("sample_rate")) or 0,
        language=language(stream),
        duration_s=stream_duration_s(stream),
        start_s=number(stream.get("start_time")) or 0.0,
        bit_rate=whole(stream.get("bit_rate")),
        header_hash=word(stream, "extradata_hash", ""),
    )


def read_subtitle(stream: Json) -> SubtitleStream:
    return SubtitleStream(
        index=whole(stream.get("index")) or 0,
        codec=word(stream, "codec_name", "unknown"),
        language=language(stream),
    )
