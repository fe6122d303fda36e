from __future__ import annotations

from dataclasses import replace

import pytest

from media_jobs.ffmpeg.devices import Cpu, Encoding, Nvidia, doubled
from media_jobs.ffmpeg.media_info import VideoStream
from tests.media import Samples


@pytest.fixture
def film(media: Samples) -> VideoStream:
    video = media("film").info.video
    assert video is not None
    return video


def test_it_works(film: VideoStream) -> None:
    args = Nvidia().encode(Encoding("hevc", preset="quality", crf=20))
    assert args == ("-c:v", "hevc_nvenc", "-preset", "p6", "-rc", "vbr", "-cq", "20", "-b:v", "0")
    assert Nvidia().decode(film) == ("-hwaccel", "cuda", "-hwaccel_output_format", "cuda")
    assert Nvidia().surface(film).is_gpu


def test_the_cpu_decodes_by_itself(film: VideoStream) -> None:
    assert Cpu().decode(film) == ()
    assert not Cpu().surface(film).is_gpu


@pytest.mark.parametrize(
    "change", [{"rotation": 90}, {"pix_fmt": "yuv420p10le"}, {"codec": "prores"}]
)
def test_what_the_gpu_leaves_to_the_cpu(film: VideoStream, change: dict[str, object]) -> None:
    other = replace(film, **change)  # type: ignore[arg-type]
    assert Nvidia().decode(other) == ()
    assert not Nvidia().surface(other).is_gpu


@pytest.mark.parametrize("encoding", [Encoding("vp9"), Encoding("h264", pixel_format="yuv422p")])
def test_codecs_the_gpu_does_not_know_are_made_by_the_cpu(encoding: Encoding) -> None:
    assert Nvidia().encode(encoding) == Cpu().encode(encoding)


def test_two_passes_are_one_on_the_gpu() -> None:
    args = Nvidia().encode(Encoding("h264", bitrate="1M", max_bitrate="1.5M", run="second"))
    assert args[-2:] == ("-multipass", "fullres")
    assert args[-6:-2] == ("-maxrate", "1.5M", "-bufsize", "3M")


@pytest.mark.parametrize(("rate", "twice"), [("5M", "10M"), ("800k", "1600k"), ("64000", "128000")])
def test_doubled(rate: str, twice: str) -> None:
    assert doubled(rate) == twice
