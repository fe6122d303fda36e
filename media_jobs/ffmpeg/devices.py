"""Where the work is done: the only place that names encoders and GPU filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from media_jobs.ffmpeg.filters import Feed, Filter, Surface
from media_jobs.ffmpeg.media_info import VideoStream

Preset = Literal["fast", "balanced", "quality"]
Args = tuple[str, ...]
Kind = Literal["cpu", "nvenc", "qsv", "vaapi", "videotoolbox"]


@dataclass(frozen=True)
class Encoding:
    """How good or how large a video stream is to be; the device finds the encoder's words."""

    codec: str
    preset: Preset = "balanced"
    crf: int | None = None
    bitrate: str | None = None
    max_bitrate: str | None = None
    pixel_format: str = "yuv420p"
    run: Literal["only", "first", "second"] = "only"


class Device(Protocol):
    @property
    def name(self) -> Literal["cpu", "gpu"]: ...

    @property
    def kind(self) -> Kind: ...

    def setup(self, args: Args) -> Args:
        """Arguments that go before the inputs of a command that does ``args``."""
        ...

    def surface(self, video: VideoStream | None) -> Surface: ...

    def decode(self, video: VideoStream | None) -> Args:
        """Arguments that go before the input."""
        ...

    def scale(self, width: int, height: int) -> Filter: ...

    def encode(self, encoding: Encoding) -> Args: ...

    def feed(self, encoding: Encoding) -> Feed:
        """How the encoder wants its frames."""
        ...

    def encoder(self, codec: str) -> str: ...


# The scale of each encoder differs; these look about the same.
DEFAULT_CRF = {"h264": 23, "hevc": 26, "av1": 32, "vp9": 32}
HIGHEST_CRF = {"h264": 51, "hevc": 51, "av1": 63, "vp9": 63}

TWO_PASS = frozenset({"h264", "hevc", "vp9"})

_CPU_ENCODERS = {
    "h264": "libx264",
    "hevc": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "prores": "prores_ks",
    "gif": "gif",
    "webp": "libwebp",
}

_CPU_PRESETS: dict[str, dict[Preset, Args]] = {
    "h264": {
        "fast": ("-preset", "veryfast"),
        "balanced": ("-preset", "medium"),
        "quality": ("-preset", "slow"),
    },
    "hevc": {
        "fast": ("-preset", "ultrafast"),
        "balanced": ("-preset", "fast"),
        "quality": ("-preset", "slow"),
    },
    "av1": {
        "fast": ("-preset", "10"),
        "balanced": ("-preset", "8"),
        "quality": ("-preset", "5"),
    },
    # row-mt lets libvpx use more cores than it has tile columns; "realtime" knows no two passes.
    "vp9": {
        "fast": ("-deadline", "good", "-cpu-used", "5", "-row-mt", "1"),
        "balanced": ("-deadline", "good", "-cpu-used", "4", "-row-mt", "1"),
        "quality": ("-deadline", "good", "-cpu-used", "2", "-row-mt", "1"),
    },
    "prores": {
        "fast": ("-profile:v", "1"),
        "balanced": ("-profile:v", "2"),
        "quality": ("-profile:v", "3"),
    },
}


@dataclass(frozen=True)
class Cpu:
    name: Literal["cpu"] = "cpu"
    kind: Literal["cpu"] = "cpu"

    def setup(self, args: Args) -> Args:  # noqa: ARG002 -- part of Device
        return ()

    def feed(self, encoding: Encoding) -> Feed:  # noqa: ARG002 -- part of Device
        return Feed()

    def surface(self, video: VideoStream | None) -> Surface:  # noqa: ARG002 -- part of Device
        return Surface()

    def decode(self, video: VideoStream | None) -> Args:  # noqa: ARG002 -- part of Device
        return ()

    def scale(self, width: int, height: int) -> Filter:
        return scaled(width, height)

    def encoder(self, codec: str) -> str:
        return _CPU_ENCODERS[codec]

    def encode(self, encoding: Encoding) -> Args:
        codec = encoding.codec
        return (
            "-c:v",
            _CPU_ENCODERS[codec],
            *_CPU_PRESETS.get(codec, {}).get(encoding.preset, ()),
            *cpu_rate(encoding),
            *cpu_passes(encoding),
            *pixel_format(encoding),
        )


def scaled(width: int, height: int) -> Filter:
    return Filter("scale", cuda="scale_cuda", w=width, h=height)


def cpu_rate(encoding: Encoding) -> Args:
    if encoding.codec not in DEFAULT_CRF:
        return ()
    if encoding.bitrate:
        return ("-b:v", encoding.bitrate, *ceiling(encoding))
    crf = DEFAULT_CRF[encoding.codec] if encoding.crf is None else encoding.crf
    # libvpx takes -crf for a ceiling on quality unless the bit rate is zero.
    constant = ("-b:v", "0") if encoding.codec == "vp9" and not encoding.max_bitrate else ()
    return ("-crf", str(crf), *constant, *ceiling(encoding))


def ceiling(encoding: Encoding) -> Args:
    """A bound on the bit rate; without a mean one it is libvpx's target of constrained quality."""
    if not encoding.max_bitrate:
        return ()
    if encoding.codec == "vp9" and not encoding.bitrate:
        return ("-b:v", encoding.max_bitrate)
    # The buffer of two seconds is what players of streamed video expect.
    return ("-maxrate", encoding.max_bitrate, "-bufsize", doubled(encoding.max_bitrate))


def doubled(bitrate: str) -> str:
    digits = bitrate.rstrip("kM")
    return f"{float(digits) * 2:g}{bitrate[len(digits) :]}"


def cpu_passes(encoding: Encoding) -> Args:
    number = {"only": "", "first": "1", "second": "2"}[encoding.run]
    if encoding.codec == "hevc":
        # x265 reads its pass from its own parameters and logs past FFmpeg's -loglevel.
        words = ["log-level=error", *([f"pass={number}", "stats=tmp/x265.log"] if number else [])]
        return ("-x265-params", ":".join(words))
    return ("-pass", number, "-passlogfile", "tmp/pass") if number else ()


def pixel_format(encoding: Encoding) -> Args:
    if encoding.codec in {"gif", "webp"}:
        return ()
    return ("-pix_fmt", "yuv422p10le" if encoding.codec == "prores" else encoding.pixel_format)


NVENC = {"h264": "h264_nvenc", "hevc": "hevc_nvenc", "av1": "av1_nvenc"}
_NVENC_PRESETS: dict[Preset, str] = {"fast": "p2", "balanced": "p4", "quality": "p6"}
_NVENC_FORMATS = {"yuv420p": "yuv420p", "yuv444p": "yuv444p", "yuv420p10le": "p010le"}


@dataclass(frozen=True)
class Nvidia:
    """``codecs`` are those that it encodes; the CPU encodes the others."""

    codecs: frozenset[str] = frozenset(NVENC)
    name: Literal["gpu"] = "gpu"
    kind: Literal["nvenc"] = "nvenc"

    def setup(self, args: Args) -> Args:  # noqa: ARG002 -- part of Device
        return ()

    def feed(self, encoding: Encoding) -> Feed:
        if not self._encodes(encoding):
            return Feed()
        # NVENC takes frames of the GPU as they are; of others it would keep a depth that most of
        # its chips refuse.
        frames = Filter("format", pix_fmts=_NVENC_FORMATS[encoding.pixel_format])
        return Feed(takes_gpu_frames=True, filters=(frames,))

    def surface(self, video: VideoStream | None) -> Surface:
        return Surface(is_gpu=self._decodes(video))

    def decode(self, video: VideoStream | None) -> Args:
        if not self._decodes(video):
            return ()
        return ("-hwaccel", "cuda", "-hwaccel_output_format", "cuda")

    def scale(self, width: int, height: int) -> Filter:
        return scaled(width, height)

    def encoder(self, codec: str) -> str:
        return NVENC[codec] if codec in self.codecs else _CPU_ENCODERS[codec]

    def encode(self, encoding: Encoding) -> Args:
        if not self._encodes(encoding):
            return Cpu().encode(encoding)
        return (
            "-c:v",
            NVENC[encoding.codec],
            "-preset",
            _NVENC_PRESETS[encoding.preset],
            *nvenc_rate(encoding),
        )

    def _encodes(self, encoding: Encoding) -> bool:
        return encoding.codec in self.codecs and encoding.pixel_format in _NVENC_FORMATS

    def _decodes(self, video: VideoStream | None) -> bool:
        """NVDEC's common codecs, 8 bit 4:2:0; a rotated video is turned by a software filter.

        Deeper frames would need a conversion on the GPU before an 8-bit encoder takes them.
        """
        if video is None or video.rotation:
            return False
        known = video.codec in {"h264", "hevc", "vp9", "av1", "mpeg2video"}
        return known and video.pix_fmt in {"yuv420p", "yuvj420p"}


def nvenc_rate(encoding: Encoding) -> Args:
    # One process makes both passes inside the encoder.
    passes = ("-multipass", "fullres") if encoding.run != "only" else ()
    if encoding.bitrate:
        return ("-rc", "vbr", "-b:v", encoding.bitrate, *ceiling(encoding), *passes)
    crf = DEFAULT_CRF[encoding.codec] if encoding.crf is None else encoding.crf
    # -b:v 0 lifts nvenc's default of 2 Mbit/s, which would else win over the quality.
    return ("-rc", "vbr", "-cq", str(crf), "-b:v", "0", *ceiling(encoding), *passes)
