"""The media that examples speak of, described but not made: enough to plan their commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.operations.core import Source

MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
MKV = "matroska,webm"


@dataclass(frozen=True)
class Sample:
    file: str
    info: MediaInfo

    def as_source(self, role: str, position: int) -> Source:
        suffix = self.file.rpartition(".")[2]
        return Source(f"in/{position}.{suffix}", self.info, self.file, role)


def picture(size: str, rate: str, length_s: float | None, codec: str = "h264") -> dict[str, Any]:
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


def sound(codec: str, length_s: float, rate: int = 48000, channels: int = 1) -> dict[str, Any]:
    return {
        "codec_type": "audio",
        "codec_name": codec,
        "sample_rate": rate,
        "channels": channels,
        "duration": length_s,
    }


def sample(file: str, form: str, length_s: float | None, *streams: dict[str, Any]) -> Sample:
    told = {
        "format": {"format_name": form, "duration": length_s},
        "streams": [{"index": place, **stream} for place, stream in enumerate(streams)],
    }
    return Sample(file, MediaInfo.from_ffprobe(told))


SAMPLES: dict[str, Sample] = {
    "film": sample("film.mp4", MP4, 4.0, picture("640x360", "25/1", 4.0), sound("aac", 4.0)),
    "film_mkv": sample("film.mkv", MKV, 4.0, picture("640x360", "25/1", 4.0), sound("opus", 4.0)),
    "second_film": sample(
        "second.mp4", MP4, 2.0, picture("480x360", "30/1", 2.0), sound("aac", 2.0, 44100)
    ),
    "red": sample("red.mp4", MP4, 2.0, picture("320x180", "25/1", 2.0), sound("aac", 2.0)),
    "green": sample("green.mp4", MP4, 2.0, picture("320x180", "25/1", 2.0), sound("aac", 2.0)),
    "blue_silent": sample("blue.mp4", MP4, 2.0, picture("426x240", "30/1", 2.0)),
    "quiet_music": sample("quiet.wav", "wav", 8.0, sound("pcm_s16le", 8.0)),
    "photo": sample("photo.jpg", "image2", None, picture("801x601", "25/1", None, "mjpeg")),
}
