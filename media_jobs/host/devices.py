"""The GPUs of this host: found by encoding one frame on each, in the same sandbox as a job."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from media_jobs import sandbox
from media_jobs.ffmpeg import failures, hardware, words
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.devices import Device, Encoding, Kind
from media_jobs.ffmpeg.filters import Filter, Surface, chain
from media_jobs.host import builds, scratch, toolchain
from media_jobs.host.capabilities import capabilities
from media_jobs.operations.core import GLOBAL_ARGS

_NODES = ("nvidia[0-9]*", "nvidiactl", "nvidia-uvm*", "nvidia-modeset", "dri/renderD*")
_LIMITS = sandbox.Limits(wall_s=10, cpu_s=10)
_ENCODING = Encoding("h264", preset="fast")
# NVENC refuses a frame that is much smaller.
_FRAME = "testsrc2=size=320x240:rate=25:duration=0.04"


@dataclass(frozen=True)
class Found:
    """``reason`` says why a kind of device can't be used here; empty where it can."""

    available: bool
    reason: str = ""


def is_enabled() -> bool:
    return bool(settings.ENABLE_GPU != "false")


def nodes() -> tuple[str, ...]:
    """The files through which drivers reach this host's GPUs."""
    found = (path for pattern in _NODES for path in Path("/dev").glob(pattern))
    return tuple(sorted(str(path) for path in found if path.is_char_device()))


def compiled_in() -> list[Device]:
    """What FFmpeg has encoders for on this host, whether or not there is such a GPU."""
    known = capabilities().encoders
    render = next((node for node in nodes() if "/renderD" in node), "")
    made = (hardware.made_for(kind, known, render) for kind in hardware.ENCODERS)
    return [device for device in made if device is not None]


def found() -> dict[Kind, Found]:
    """Every kind of device with whether it works, asked once a process by a real encode.

    Of another FFmpeg, or with other nodes in ``/dev``, it is asked anew.
    """
    return dict(_found(toolchain.identity(), nodes(), settings.ENABLE_GPU))


@lru_cache(maxsize=1)
def _found(
    _: tuple[builds.Stamps, ...], _nodes: tuple[str, ...], _enabled: str
) -> dict[Kind, Found]:
    if not is_enabled():
        off = Found(available=False, reason="ENABLE_GPU is false")
        return dict.fromkeys(hardware.ENCODERS, off)
    tried = {device.kind: _try(device) for device in compiled_in()}
    missing = "this FFmpeg has no such encoder"
    if platform.system() != "Darwin":
        tried.setdefault("videotoolbox", Found(available=False, reason="only on macOS"))
    return {kind: tried.get(kind, Found(False, missing)) for kind in hardware.ENCODERS}


def usable() -> list[Device]:
    """The devices that work, the best first."""
    works = found()
    return [device for device in compiled_in() if works[device.kind].available]


def slots() -> int:
    """How many slots this host gives to its GPU: as the settings say, else one where it has any."""
    if not is_enabled():
        return 0
    if settings.GPU_WORKERS is not None:
        return int(settings.GPU_WORKERS)
    if settings.ENABLE_GPU == "true":
        return 1
    return 1 if nodes() and usable() else 0


def _try(device: Device) -> Found:
    frames = chain((Filter("null"),), Surface(), device.feed(_ENCODING))
    made = ("-vf", frames, *device.encode(_ENCODING), "-f", "null", "-")
    args = (*GLOBAL_ARGS, *device.setup(made), "-f", "lavfi", "-i", _FRAME, *made)
    ffmpeg = toolchain.for_command(Command(args)).build.ffmpeg
    with scratch.passing("device") as folder:
        done = sandbox.run(ffmpeg, args, folder=folder, limits=_LIMITS, devices=nodes())
    if done.returncode == 0:
        return Found(available=True)
    if done.timed_out:
        return Found(available=False, reason=f"no answer within {_LIMITS.wall_s:g} s")
    told = failures.clean(words.own(done.stderr), str(folder))
    return Found(available=False, reason=failures.classify(told, done.returncode).detail[:300])
