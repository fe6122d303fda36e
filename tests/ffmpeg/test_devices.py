from __future__ import annotations

from dataclasses import replace

import pytest

from media_jobs.ffmpeg.devices import Cpu, Device, Encoding, Nvidia, doubled
from media_jobs.ffmpeg.filters import Filter, chain
from media_jobs.ffmpeg.hardware import Qsv, Vaapi, VideoToolbox, made_for, uses_gpu
from media_jobs.ffmpeg.media_info import VideoStream
from tests.harness.media import Samples


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


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9"])
def test_a_mean_bit_rate_and_its_bound_are_told_both(codec: str) -> None:
    """Told with -b:v, as libvpx takes a bound alone, the second would be all that counts."""
    args = Cpu().encode(Encoding(codec, bitrate="1M", max_bitrate="1.5M"))
    start = args.index("-b:v")
    assert args[start : start + 6] == ("-b:v", "1M", "-maxrate", "1.5M", "-bufsize", "3M")
    assert args.count("-b:v") == 1


BOTH = frozenset({"h264", "hevc"})


@pytest.mark.parametrize(
    ("device", "encoding", "args"),
    [
        (
            Qsv(BOTH),
            Encoding("h264", crf=20),
            "-c:v h264_qsv -preset medium -global_quality 20",
        ),
        (
            Qsv(BOTH),
            Encoding("hevc", preset="fast", bitrate="2M"),
            "-c:v hevc_qsv -preset veryfast -b:v 2M",
        ),
        (Vaapi(BOTH), Encoding("h264"), "-c:v h264_vaapi -rc_mode CQP -qp 23"),
        (
            Vaapi(BOTH),
            Encoding("h264", bitrate="1M", max_bitrate="2M"),
            "-c:v h264_vaapi -rc_mode VBR -b:v 1M -maxrate 2M -bufsize 4M",
        ),
        (VideoToolbox(BOTH), Encoding("h264", crf=30), "-c:v h264_videotoolbox -q:v 40"),
        (VideoToolbox(BOTH), Encoding("hevc", bitrate="1M"), "-c:v hevc_videotoolbox -b:v 1M"),
    ],
)
def test_other_encoders(device: Device, encoding: Encoding, args: str) -> None:
    assert " ".join(device.encode(encoding)) == args
    assert uses_gpu(device.encode(encoding))


def test_frames_are_brought_to_where_the_encoder_wants_them(film: VideoStream) -> None:
    half, grey = Filter("scale", cuda="scale_cuda", w=2, h=2), Filter("hue", s=0)
    h264, vp9 = Encoding("h264"), Encoding("vp9")

    def written(device: Device, filters: list[Filter], encoding: Encoding) -> str:
        return chain(filters, device.surface(film), device.feed(encoding))

    assert written(Nvidia(), [half], h264) == "scale_cuda=w=2:h=2"
    assert written(Nvidia(), [half], vp9) == "scale_cuda=w=2:h=2,hwdownload,format=nv12"
    assert written(Nvidia(), [grey], h264).endswith("hue=s=0,format=pix_fmts=yuv420p")
    assert written(Vaapi(BOTH), [half], h264) == "scale=w=2:h=2,format=pix_fmts=nv12,hwupload"
    assert written(Vaapi(BOTH), [half], vp9) == "scale=w=2:h=2"
    assert written(Qsv(BOTH), [], h264) == "format=pix_fmts=nv12"
    assert written(Cpu(), [], h264) == ""


def test_deep_colours_keep_their_depth_where_the_encoder_has_it() -> None:
    deep = Encoding("hevc", pixel_format="yuv420p10le")
    assert Vaapi(BOTH).feed(deep).filters[0] == Filter("format", pix_fmts="p010le")
    h264 = Encoding("h264", pixel_format="yuv420p10le")
    assert Vaapi(BOTH).encode(h264) == Cpu().encode(h264)


def test_a_device_is_set_up_only_for_what_needs_it() -> None:
    vaapi = Vaapi(BOTH, node="/dev/dri/renderD128")
    assert vaapi.setup(vaapi.encode(Encoding("h264")))[1] == "vaapi=gpu:/dev/dri/renderD128"
    assert vaapi.setup(("-c:v", "copy")) == ()


def test_a_device_has_the_encoders_that_ffmpeg_has() -> None:
    debian = frozenset({"h264_nvenc", "hevc_nvenc", "h264_vaapi", "libx264"})
    nvidia = made_for("nvenc", debian)
    assert nvidia is not None
    assert nvidia.encoder("hevc") == "hevc_nvenc"
    assert nvidia.encoder("av1") == "libsvtav1"
    assert nvidia.encode(Encoding("av1")) == Cpu().encode(Encoding("av1"))
    assert made_for("qsv", debian) is None


@pytest.mark.parametrize(("rate", "twice"), [("5M", "10M"), ("800k", "1600k"), ("64000", "128000")])
def test_doubled(rate: str, twice: str) -> None:
    assert doubled(rate) == twice
