"""Measurements of media that tests compare with what was asked for."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from media_jobs.ffmpeg import first_frame
from media_jobs.ffmpeg.media_info import PROBE_ARGS, MediaInfo
from tests.harness.programs import FFMPEG_PATH, FFPROBE_PATH


def ffprobe(*args: str | Path, program: str = FFPROBE_PATH) -> dict[str, Any]:
    done = subprocess.run(
        [program, "-v", "error", "-of", "json", *args], check=True, capture_output=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def probe(path: Path) -> MediaInfo:
    answer = ffprobe(*PROBE_ARGS, path)
    if first_frame.missing(answer) is not None:
        answer = ffprobe(*PROBE_ARGS, path, program="ffprobe")  # which has more decoders
    return MediaInfo.from_ffprobe(answer)


def frame_times(path: Path) -> list[float]:
    """Of decoded frames, by the machine's own ffprobe: the bundled one decodes no AV1."""
    asked = ("-select_streams", "v:0", "-show_entries", "frame=pts_time")
    told = ffprobe(*asked, path, program="ffprobe")
    return [float(frame["pts_time"]) for frame in told["frames"]]


def filtered(path: Path, filters: str, *before: str) -> str:
    """What FFmpeg prints while it runs a file through filters."""
    done = subprocess.run(
        [
            *(FFMPEG_PATH, "-hide_banner", "-nostdin", *before, "-i", str(path)),
            *("-filter_complex", filters, "-f", "null", "-"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stderr


def grey_pixels(path: Path, at_s: float = 0.0, crop: str = "iw:ih:0:0", size: int = 32) -> bytes:
    """A frame (or a part of it) shrunk to ``size`` by ``size`` grey values."""
    return raw_frame(path, at_s, f"crop={crop},scale={size}:{size}:flags=area,format=gray")


def rgb(path: Path, at_s: float = 0.0, crop: str = "iw:ih:0:0") -> tuple[int, int, int]:
    """The mean colour of a frame or a part of it."""
    red, green, blue = raw_frame(path, at_s, f"crop={crop},scale=1:1:flags=area,format=rgb24")
    return red, green, blue


def every_grey_picture(path: Path, size: int = 32) -> list[bytes]:
    """All frames, each shrunk as ``grey_pixels`` does, by one run of FFmpeg."""
    # Of a varying rate no frame is repeated or left out.
    filters = ("-vf", f"scale={size}:{size}:flags=area,format=gray", "-fps_mode", "passthrough")
    raw = _raw("-i", path, *filters)
    return [raw[start : start + size * size] for start in range(0, len(raw), size * size)]


def raw_frame(path: Path, at_s: float, filters: str) -> bytes:
    # A picture has no place to seek to.
    seek = ("-ss", f"{at_s:.6f}") if at_s else ()
    return _raw(*seek, "-i", path, "-frames:v", "1", "-vf", filters)


def _raw(*args: str | Path) -> bytes:
    command = [FFMPEG_PATH, "-v", "error", *args, "-f", "rawvideo", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def difference(one: bytes, other: bytes) -> float:
    """Mean difference of grey values, of 255."""
    assert len(one) == len(other) > 0
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


def loudness(path: Path) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP, by the EBU R128 meter."""
    told = filtered(path, "ebur128=peak=true")
    summary = told[told.rindex("Summary:") :]
    found = re.search(r"I:\s+(-?[\d.]+) LUFS.*Peak:\s+(-?[\d.]+) dBFS", summary, re.DOTALL)
    assert found
    return float(found.group(1)), float(found.group(2))


def loudness_range(path: Path) -> float:
    """In LU, by EBU Tech 3342."""
    told = filtered(path, "ebur128")
    found = re.search(r"LRA:\s+([\d.]+) LU", told[told.rindex("Summary:") :])
    assert found
    return float(found.group(1))
