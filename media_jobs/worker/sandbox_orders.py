"""What the launcher is told to do, for one process in one folder."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Iterator
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
_LOADERS: Final = ("/lib*/ld-linux*.so*", "/lib/ld-musl*.so*")


@dataclass(frozen=True)
class Limits:
    wall_s: float
    """Real time, after which the process group is killed."""
    cpu_s: int | None = None
    memory_bytes: int = 4 << 30
    """Address space, not resident memory."""
    output_bytes: int | None = None
    """Size of any one file written."""


def written(folder: Path, limits: Limits, executable: str) -> list[str]:
    orders = [f"folder={folder.resolve()}", f"parent={os.getpid()}"]
    orders += [f"rlimit={which}:{value}" for which, value in _rlimits(limits)]
    uid = sandbox_layers.target_uid()
    if uid is not None:
        orders.append(f"uid={uid}")
    active = sandbox_layers.layers()
    if active["landlock"].active:
        orders += _landlock_orders(executable)
    if active["seccomp"].active:
        calls = seccomp.build(platform.machine())
        orders += [f"seccomp={calls.code.hex()}", f"own_pid_at={calls.own_pid_at}"]
    return orders


def _rlimits(limits: Limits) -> Iterator[tuple[int, int]]:
    yield resource.RLIMIT_CORE, 0
    yield resource.RLIMIT_NOFILE, _OPEN_FILES
    yield resource.RLIMIT_AS, limits.memory_bytes
    if limits.cpu_s is not None:
        yield resource.RLIMIT_CPU, limits.cpu_s
    if limits.output_bytes is not None:
        yield resource.RLIMIT_FSIZE, limits.output_bytes


def _landlock_orders(executable: str) -> list[str]:
    known = landlock.handled(landlock.version()[0])
    rules = [
        *_system_rules(executable, os.environ.get("FFAPI_FONTS_DIR")),
        landlock.Rule(".", landlock.READ & known.fs),
        landlock.Rule("out", landlock.WRITE & known.fs),
        landlock.Rule("tmp", landlock.WRITE & known.fs),
    ]
    handled = f"landlock={known.fs}:{known.net}:{known.scoped}:{known.size_bytes}"
    return [handled, *(f"allow={rule.access}:{rule.path}" for rule in rules)]


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
