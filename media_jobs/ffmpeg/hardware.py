"""Encoders of GPUs that are fed from main memory: decoding and filters stay on the CPU.

Their words are those of FFmpeg's manual, "Codecs", under the encoders' names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from media_jobs.ffmpeg.devices import (
    DEFAULT_CRF,
    NVENC,
    Args,
    Cpu,
    Device,
    Encoding,
    Kind,
    Nvidia,
    Preset,
    ceiling,
    scaled,
)
from media_jobs.ffmpeg.filters import Feed, Filter, Surface
from media_jobs.ffmpeg.media_info import VideoStream

_QSV = {"h264": "h264_qsv", "hevc": "hevc_qsv", "av1": "av1_qsv"}
_VAAPI = {"h264": "h264_vaapi", "hevc": "hevc_vaapi", "av1": "av1_vaapi"}
_VIDEOTOOLBOX = {"h264": "h264_videotoolbox", "hevc": "hevc_videotoolbox"}

# In the order in which a host's devices are preferred.
ENCODERS: Mapping[Kind, Mapping[str, str]] = {
    "nvenc": NVENC,
    "qsv": _QSV,
    "vaapi": _VAAPI,
    "videotoolbox": _VIDEOTOOLBOX,
}
_OF_A_GPU = frozenset(name for named in ENCODERS.values() for name in named.values())

_QSV_PRESETS: dict[Preset, str] = {"fast": "veryfast", "balanced": "medium", "quality": "slow"}


def uses_gpu(args: Iterable[str]) -> bool:
    """Whether a command decodes or encodes on a GPU."""
    return any(arg == "-hwaccel" or arg in _OF_A_GPU for arg in args)


def made_for(kind: Kind, known: AbstractSet[str], node: str = "") -> Device | None:
    """The device of a kind with those of its encoders that FFmpeg has; None where it has none."""
    codecs = frozenset(codec for codec, name in ENCODERS[kind].items() if name in known)
    if "h264" not in codecs:
        return None
    if kind == "nvenc":
        return Nvidia(codecs)
    if kind == "vaapi":
        return Vaapi(codecs, node=node)
    return Qsv(codecs) if kind == "qsv" else VideoToolbox(codecs)


@dataclass(frozen=True)
class Fed(ABC):
    """``codecs`` are those that the device encodes; the CPU encodes the others."""

    codecs: frozenset[str]
    name: Literal["gpu"] = "gpu"

    @property
    @abstractmethod
    def kind(self) -> Kind: ...

    def setup(self, args: Args) -> Args:  # noqa: ARG002 -- part of Device
        return ()

    def surface(self, video: VideoStream | None) -> Surface:  # noqa: ARG002 -- part of Device
        return Surface()

    def decode(self, video: VideoStream | None) -> Args:  # noqa: ARG002 -- part of Device
        return ()

    def scale(self, width: int, height: int) -> Filter:
        return scaled(width, height)

    def encoder(self, codec: str) -> str:
        return ENCODERS[self.kind][codec] if codec in self.codecs else Cpu().encoder(codec)

    def encode(self, encoding: Encoding) -> Args:
        if not self.encodes(encoding):
            return Cpu().encode(encoding)
        return ("-c:v", self.encoder(encoding.codec), *self.rate(encoding))

    def feed(self, encoding: Encoding) -> Feed:
        return Feed(filters=self.frames(encoding)) if self.encodes(encoding) else Feed()

    def encodes(self, encoding: Encoding) -> bool:
        """No GPU of these kinds has more colours than 4:2:0, nor ten bits of H.264."""
        deep = encoding.pixel_format == "yuv420p10le" and encoding.codec != "h264"
        return encoding.codec in self.codecs and (deep or encoding.pixel_format == "yuv420p")

    def frames(self, encoding: Encoding) -> tuple[Filter, ...]:
        deep = encoding.pixel_format == "yuv420p10le"
        return (Filter("format", pix_fmts="p010le" if deep else "nv12"),)

    @abstractmethod
    def rate(self, encoding: Encoding) -> Args:
        """How good or how large, in the encoder's words."""
        ...


@dataclass(frozen=True)
class Qsv(Fed):
    """Intel's Quick Sync Video."""

    @property
    def kind(self) -> Kind:
        return "qsv"

    def rate(self, encoding: Encoding) -> Args:
        preset = ("-preset", _QSV_PRESETS[encoding.preset])
        if encoding.bitrate:
            return (*preset, "-b:v", encoding.bitrate, *ceiling(encoding))
        # Without a bit rate it is the constant quality of its ICQ, on nearly x264's scale.
        return (*preset, "-global_quality", str(quality(encoding)), *ceiling(encoding))


@dataclass(frozen=True)
class Vaapi(Fed):
    """The kernel's own interface to the GPUs of Intel and AMD; ``node`` is which one."""

    node: str = ""

    @property
    def kind(self) -> Kind:
        return "vaapi"

    def setup(self, args: Args) -> Args:
        if not uses_gpu(args):
            return ()
        named = f"vaapi=gpu:{self.node}" if self.node else "vaapi=gpu"
        return ("-init_hw_device", named, "-filter_hw_device", "gpu")

    def frames(self, encoding: Encoding) -> tuple[Filter, ...]:
        return (*super().frames(encoding), Filter("hwupload"))

    def rate(self, encoding: Encoding) -> Args:
        if encoding.bitrate:
            return ("-rc_mode", "VBR", "-b:v", encoding.bitrate, *ceiling(encoding))
        return ("-rc_mode", "CQP", "-qp", str(quality(encoding)))


@dataclass(frozen=True)
class VideoToolbox(Fed):
    """Apple's encoders."""

    @property
    def kind(self) -> Kind:
        return "videotoolbox"

    def rate(self, encoding: Encoding) -> Args:
        if encoding.bitrate:
            return ("-b:v", encoding.bitrate, *ceiling(encoding))
        # Its scale goes the other way, from 1 to 100.
        return ("-q:v", str(max(1, 100 - 2 * quality(encoding))))


def quality(encoding: Encoding) -> int:
    return DEFAULT_CRF[encoding.codec] if encoding.crf is None else encoding.crf
