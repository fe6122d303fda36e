"""What of the machine's files one process may touch: the same for every layer that bounds it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from pathlib import Path
from typing import Final

# Libraries, fonts and what these read: not the whole of /usr, where people put sources and data.
_READABLE: Final = (
    *("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64"),
    *("/usr/local/lib", "/usr/local/lib64"),
    *("/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/fontconfig"),
    *("/usr/share/ffmpeg", "/usr/local/share/ffmpeg", "/usr/share/zoneinfo"),
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
SHIPPED_FONTS: Final = Path(__file__).resolve().parents[1] / "fonts"
# Where the drivers of GPUs look for their chips; read only together with the devices.
_OF_DRIVERS: Final = (
    "/etc/libva.conf",
    *("/etc/OpenCL", "/etc/vulkan", "/usr/share/vulkan", "/usr/share/glvnd", "/usr/share/egl"),
    *("/usr/share/drirc.d", "/usr/share/libdrm", "/usr/share/nvidia", "/usr/local/nvidia"),
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


@dataclass(frozen=True)
class Private:
    """A folder or a file of this installation that no sandboxed process may see."""

    name: str
    path: Path
    holds_others: bool = False
    """May something that is readable lie in it, as fonts or FFmpeg itself do?"""


# Nothing, till the project's start fills it in: where its data are is for its settings to say.
kept: Callable[[], Sequence[Private]] = tuple


def font_settings() -> dict[str, str]:
    """What leads fontconfig, by its environment, to the shipped fonts on a machine without it."""
    if Path("/etc/fonts/fonts.conf").is_file():
        return {}
    return {"FONTCONFIG_FILE": str(SHIPPED_FONTS / "fonts.conf")}


def exposed() -> tuple[str, ...]:
    """Say which private place lies where everything is readable to FFmpeg, and where that is.

    A link counts as what it leads to. Mounting a folder a second time goes unseen here.
    """
    return _exposed(tuple(kept()), os.environ.get("FFAPI_FONTS_DIR"))


def look_again() -> None:
    """Forget what was found: links and folders may lead elsewhere by now."""
    _exposed.cache_clear()


@lru_cache(maxsize=8)  # it is asked before each process
def _exposed(private: tuple[Private, ...], fonts: str | None) -> tuple[str, ...]:
    readable = [(name, os.path.realpath(name)) for name in (*_readable(fonts), *_OF_DRIVERS)]
    return tuple(
        f"the {each.name} ({each.path}) must not be in {name}, which FFmpeg may read"
        for each in private
        for path in (os.path.realpath(each.path),)
        for name, real in readable
        if _is_in(path, real) or (not each.holds_others and _is_in(real, path))
    )


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def places(executable: str, devices: Sequence[str]) -> list[Place]:
    """All that ``executable`` may touch, of what there is on this machine."""
    system = _of_system(executable, os.environ.get("FFAPI_FONTS_DIR"))
    found = [*system, Place(".", Use.READ), Place("out", Use.WORK), Place("tmp", Use.WORK)]
    if devices:
        buses = [str(path) for path in Path("/").glob(_PCI)]
        found += _existing(devices, Use.DEVICE)
        found += _existing([*_OF_DRIVERS, *buses], Use.READ)
    return found


@lru_cache(maxsize=8)
def _of_system(executable: str, fonts: str | None) -> tuple[Place, ...]:
    loaders = [str(path) for pattern in _LOADERS for path in Path("/").glob(pattern)]
    return (
        *_existing(_readable(fonts), Use.READ),
        *_existing([executable, *loaders], Use.RUN),
        *_existing(["/dev/null"], Use.REWRITE),
    )


def _readable(fonts: str | None) -> tuple[str, ...]:
    return (*_READABLE, str(SHIPPED_FONTS), *_library_folders(), *([fonts] if fonts else ()))


@lru_cache(maxsize=1)
def _library_folders() -> tuple[str, ...]:
    """Those that the machine's loader was told of besides, as CUDA's are."""
    lines = [
        line.strip()
        for file in Path("/etc/ld.so.conf.d").glob("*.conf")
        for line in file.read_text(errors="replace").splitlines()
    ]
    return tuple(sorted({line for line in lines if line.startswith("/")}))


def _existing(paths: Iterable[str], use: Use) -> list[Place]:
    return [Place(path, use) for path in paths if is_there(Path(path))]


def is_there(path: Path) -> bool:
    """Not so where this process may not look: what it starts has no more rights."""
    with suppress(PermissionError):
        return path.exists()
    return False
