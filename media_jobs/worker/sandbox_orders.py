"""What the launcher is told to do, for one process in one folder."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from media_jobs.worker import landlock, sandbox_layers, seccomp

_OPEN_FILES: Final = 256
_READABLE: Final = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/localtime",
    "/var/cache/fontconfig",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/dev/urandom",
    "/dev/zero",
]
# Where the drivers of GPUs look for their chips; read only together with the devices.
_OF_DRIVERS: Final = [
    "/etc/libva.conf",
    "/proc/devices",
    "/proc/driver/nvidia",
    "/sys/bus/pci/devices",
    "/sys/class/drm",
    "/sys/dev/char",
]
_PCI: Final = "sys/devices/pci*"
_LOADERS: Final = ("/lib*/ld-linux*.so*", "/lib/ld-musl*.so*")


@dataclass(frozen=True)
class Limits:
    wall_s: float
    """Real time, after which the process group is killed."""
    cpu_s: int | None = None
    memory_bytes: int = 4 << 30
    """Address space, not resident memory; with a GPU, what can be written of it."""
    output_bytes: int | None = None
    """Size of any one file written."""
    cpus: frozenset[int] = frozenset()
    """Where it may run, and so how many threads FFmpeg starts; empty: everywhere."""


def written(
    folder: Path, limits: Limits, executable: str, devices: Sequence[str] = ()
) -> list[str]:
    orders = [f"folder={folder.resolve()}", f"parent={os.getpid()}"]
    orders += [f"rlimit={which}:{value}" for which, value in _rlimits(limits, has_gpu=any(devices))]
    if limits.cpus:
        orders.append(f"cpus={','.join(map(str, sorted(limits.cpus)))}")
    uid = sandbox_layers.target_uid()
    if uid is not None:
        orders.append(f"uid={uid}")
        orders += [f"group={group}" for group in sorted(_groups(devices))]
    active = sandbox_layers.layers()
    if active["landlock"].active:
        orders += _landlock_orders(executable, devices)
    if active["seccomp"].active:
        calls = seccomp.build(platform.machine())
        orders += [f"seccomp={calls.code.hex()}", f"own_pid_at={calls.own_pid_at}"]
    return orders


def _groups(devices: Sequence[str]) -> set[int]:
    """The groups that may use ``devices``, as "render" may; root's own group is nobody's."""
    return {Path(device).stat().st_gid for device in devices} - {0}


def _rlimits(limits: Limits, *, has_gpu: bool) -> Iterator[tuple[int, int]]:
    yield resource.RLIMIT_CORE, 0
    yield resource.RLIMIT_NOFILE, _OPEN_FILES
    # A GPU's driver reserves address space for all of its memory, and can't start without.
    yield resource.RLIMIT_DATA if has_gpu else resource.RLIMIT_AS, limits.memory_bytes
    if limits.cpu_s is not None:
        yield resource.RLIMIT_CPU, limits.cpu_s
    if limits.output_bytes is not None:
        yield resource.RLIMIT_FSIZE, limits.output_bytes


def _landlock_orders(executable: str, devices: Sequence[str]) -> list[str]:
    known = landlock.handled(landlock.version()[0])
    rules = [
        *_system_rules(executable, os.environ.get("FFAPI_FONTS_DIR")),
        landlock.Rule(".", landlock.READ & known.fs),
        landlock.Rule("out", landlock.WRITE & known.fs),
        landlock.Rule("tmp", landlock.WRITE & known.fs),
        *(_device_rules(devices, known) if devices else ()),
    ]
    handled = f"landlock={known.fs}:{known.net}:{known.scoped}:{known.size_bytes}"
    return [handled, *(f"allow={rule.access}:{rule.path}" for rule in rules)]


def _device_rules(devices: Sequence[str], known: landlock.Handled) -> list[landlock.Rule]:
    buses = [str(path) for path in Path("/").glob(_PCI)]
    return [
        *landlock.existing(list(devices), landlock.DEVICE, known),
        *landlock.existing([*_OF_DRIVERS, *buses], landlock.READ, known),
    ]


@lru_cache(maxsize=4)
def _system_rules(executable: str, fonts: str | None) -> list[landlock.Rule]:
    known = landlock.handled(landlock.version()[0])
    readable = [*_READABLE, fonts] if fonts else _READABLE
    loaders = [str(path) for pattern in _LOADERS for path in Path("/").glob(pattern[1:])]
    return [
        *landlock.existing(readable, landlock.READ, known),
        *landlock.existing([executable, *loaders], landlock.RUN, known),
        *landlock.existing(["/dev/null"], landlock.REWRITE, known),
    ]
