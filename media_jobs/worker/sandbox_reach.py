"""What of the machine's files one process may touch: the same for every layer that bounds it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from pathlib import Path
from typing import Final

_READABLE: Final = (
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
)
# Where the drivers of GPUs look for their chips; read only together with the devices.
_OF_DRIVERS: Final = (
    "/etc/libva.conf",
    "/proc/devices",
    "/proc/driver/nvidia",
    "/sys/bus/pci/devices",
    "/sys/class/drm",
    "/sys/dev/char",
)
_PCI: Final = "sys/devices/pci*"
_LOADERS: Final = ("lib*/ld-linux*.so*", "lib/ld-musl*.so*")


class Use(Enum):
    READ = auto()
    RUN = auto()
    DEVICE = auto()
    """Read, written and driven by ioctl."""
    REWRITE = auto()
    """A file that is there already is read and written."""
    WORK = auto()
    """A folder in which files are made, changed and removed."""


@dataclass(frozen=True)
class Place:
    path: str
    """Absolute, or relative to the job's folder."""
    use: Use


def places(executable: str, devices: Sequence[str]) -> list[Place]:
    """All that ``executable`` may touch, of what there is on this machine."""
    return [
        *_of_system(executable, os.environ.get("FFAPI_FONTS_DIR")),
        Place(".", Use.READ),
        Place("out", Use.WORK),
        Place("tmp", Use.WORK),
        *(_of_devices(devices) if devices else ()),
    ]


@lru_cache(maxsize=8)
def _of_system(executable: str, fonts: str | None) -> tuple[Place, ...]:
    readable = (*_READABLE, fonts) if fonts else _READABLE
    loaders = [str(path) for pattern in _LOADERS for path in Path("/").glob(pattern)]
    return (
        *_existing(readable, Use.READ),
        *_existing([executable, *loaders], Use.RUN),
        *_existing(["/dev/null"], Use.REWRITE),
    )


def _of_devices(devices: Sequence[str]) -> list[Place]:
    buses = [str(path) for path in Path("/").glob(_PCI)]
    return [*_existing(devices, Use.DEVICE), *_existing([*_OF_DRIVERS, *buses], Use.READ)]


def _existing(paths: Iterable[str], use: Use) -> list[Place]:
    return [Place(path, use) for path in paths if Path(path).exists()]
