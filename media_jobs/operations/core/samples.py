"""The media that examples speak of: how FFmpeg makes each, and what there is to know of it.

Plans, documents and goldens need only what is known; the tests make the files and compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.operations.core.source import Source

MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
MKV = "matroska,webm"
Args = tuple[str, ...]
Stream = Mapping[str, Any]

X264: Args = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")


@dataclass(frozen=True)
class Sample:
    """``made_by`` are FFmpeg's arguments but for the name of the file."""

    file: str
    info: MediaInfo
    made_by: Args

    def as_source(self, role: str, position: int) -> Source:
        suffix = self.file.rpartition(".")[2]
        return Source(f"in/{position}.{suffix}", self.info, self.file, role)


def sample(
    file: str, form: str, length_s: float | None, streams: tuple[Stream, ...], made_by: Args
) -> Sample:
    """``form`` is FFmpeg's name of the container."""
    answer = {
        "format": {"format_name": form, "duration": length_s},
        "streams": [{"index": place, **stream} for place, stream in enumerate(streams)],
    }
    return Sample(file, MediaInfo.from_ffprobe(answer), made_by)


def video(size: str, rate: str, length_s: float | None, codec: str = "h264") -> Stream:
    width, height = size.split("x")
    return {
        "codec_type": "video",
        "codec_name": codec,
        "width": width,
        "height": height,
        "pix_fmt": "yuv420p",
        "avg_frame_rate": rate,
        "r_frame_rate": rate,
        "time_base": "1/12800",
        "duration": length_s,
    }


def audio(codec: str, length_s: float, rate: int = 48000, layout: str = "") -> Stream:
    """Mono where no ``layout`` is named."""
    return {
        "codec_type": "audio",
        "codec_name": codec,
        "sample_rate": rate,
        "channels": 6 if layout.startswith("5.1") else 1,
        "channel_layout": layout,
        "duration": length_s,
    }


def generated(source: str) -> Args:
    return ("-f", "lavfi", "-i", source)


def pattern(size: str = "640x360", rate: str = "25", length_s: float = 4) -> Args:
    return generated(f"testsrc2=s={size}:r={rate}:d={length_s}")


def tone(hertz: int = 440, length_s: float = 4, rate: int = 48000) -> Args:
    return generated(f"sine=f={hertz}:d={length_s}:r={rate}")


def coloured(colour: str, size: str = "320x180", rate: int = 25) -> Args:
    return generated(f"color={colour}:s={size}:r={rate}:d=2")


# One tone on the front speakers, silence on the other four.
_SURROUND = "sine=f=300:d=3:r=48000,aformat=channel_layouts=mono,pan=5.1|c0=c0|c1=c0"
_NOISE = "anoisesrc=d=8:c=pink:a=0.05:seed=7:r=48000,tremolo=f=0.7:d=0.6"

SAMPLES: Mapping[str, Sample] = {
    "film": sample(
        "film.mp4",
        MP4,
        4.0,
        (video("640x360", "25/1", 4.0), audio("aac", 4.0)),
        (*pattern(), *tone(), *X264, "-c:a", "aac", "-shortest"),
    ),
    "film_mkv": sample(
        "film.mkv",
        MKV,
        4.0,
        (video("640x360", "25/1", 4.0), audio("opus", 4.0)),
        (*pattern(), *tone(), *X264, "-c:a", "libopus"),
    ),
    "second_film": sample(
        "second.mp4",
        MP4,
        2.0,
        (video("480x360", "30/1", 2.0), audio("aac", 2.0, 44100)),
        (*pattern("480x360", "30", 2), *tone(880, 2, 44100), *X264, "-c:a", "aac", "-ac", "1"),
    ),
    "surround_film": sample(
        "surround.mkv",
        MKV,
        3.0,
        (video("320x180", "25/1", 3.0), audio("ac3", 3.0, layout="5.1(side)")),
        (
            *(*pattern("320x180", length_s=3), *generated(_SURROUND)),
            *(*X264, "-c:a", "ac3", "-b:a", "384k"),
        ),
    ),
    "red": sample(
        "red.mp4",
        MP4,
        2.0,
        (video("320x180", "25/1", 2.0), audio("aac", 2.0)),
        (*coloured("red"), *tone(300, 2), *X264, "-c:a", "aac", "-shortest"),
    ),
    "green": sample(
        "green.mp4",
        MP4,
        2.0,
        (video("320x180", "25/1", 2.0), audio("aac", 2.0)),
        (*coloured("green"), *tone(500, 2), *X264, "-c:a", "aac", "-shortest"),
    ),
    "blue_silent": sample(
        "blue.mp4",
        MP4,
        2.0,
        (video("426x240", "30/1", 2.0),),
        (*coloured("blue", "426x240", 30), *X264),
    ),
    "quiet_music": sample("quiet.wav", "wav", 8.0, (audio("pcm_s16le", 8.0),), generated(_NOISE)),
    "photo": sample(
        "photo.jpg",
        "image2",
        None,
        (video("801x601", "25/1", None, "mjpeg"),),
        (
            *pattern("800x600", length_s=1),
            *("-frames:v", "1", "-q:v", "2", "-vf", "scale=801:601"),
        ),
    ),
}
