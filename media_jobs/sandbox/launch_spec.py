"""What the launcher is told to do, for one process in one folder."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from media_jobs.sandbox import landlock, layers, seccomp
from media_jobs.sandbox.allowed_paths import Place

_OPEN_FILES: Final = 256
# Of all processes of one user together, for the kernel counts no other way; where a slot has no
# control group nothing else keeps FFmpeg from threads without number. FFmpeg starts some for each
# core in each decoder, filter and encoder, and so do those of other slots.
_THREADS: Final = 4096 + 512 * (os.cpu_count() or 1)
# Decoders, filters and encoders map more than they ever fill; what they fill has its own limit.
_MAPPED_PER_BYTE: Final = 2
# Besides, addresses without memory behind them: the C library keeps 64 MB of them for each thread.
_ADDRESSES: Final = 4 << 30


@dataclass(frozen=True)
class Limits:
    wall_s: float
    """Real time, after which the process group is killed."""
    cpu_s: int | None = None
    memory_bytes: int = 4 << 30
    """Memory held. Twice as much may be mapped so as to be written."""
    output_bytes: int | None = None
    """Size of any one file written."""
    cpus: frozenset[int] = frozenset()
    """Where it may run, and so how many threads FFmpeg starts; empty: everywhere."""

    def rlimits(self, *, has_gpu: bool) -> Iterator[tuple[int, int]]:
        """What the kernel sees to, as ``setrlimit`` takes it."""
        yield resource.RLIMIT_CORE, 0
        yield resource.RLIMIT_NOFILE, _OPEN_FILES
        yield resource.RLIMIT_NPROC, _THREADS
        mapped_bytes = self.memory_bytes * _MAPPED_PER_BYTE
        yield resource.RLIMIT_DATA, mapped_bytes
        # A GPU's driver reserves address space for all of its memory, and can't start without.
        if not has_gpu:
            yield resource.RLIMIT_AS, mapped_bytes + _ADDRESSES
        if self.cpu_s is not None:
            yield resource.RLIMIT_CPU, self.cpu_s
        if self.output_bytes is not None:
            yield resource.RLIMIT_FSIZE, self.output_bytes


def written(
    folder: Path,
    limits: Limits,
    places: Sequence[Place],
    devices: Sequence[str] = (),
) -> list[str]:
    orders = [f"folder={folder.resolve()}"]
    orders += [f"rlimit={which}:{value}" for which, value in limits.rlimits(has_gpu=any(devices))]
    if limits.cpus:
        orders.append(f"cpus={','.join(map(str, sorted(limits.cpus)))}")
    uid = layers.target_uid()
    if uid is not None:
        orders.append(f"uid={uid}")
        if not layers.puts_in_namespaces(devices):
            orders.append("search=1")  # there every folder on the way is open
        # Those that may use the devices, as "render" may; root's own group is nobody's.
        groups = {Path(device).stat().st_gid for device in devices} - {0}
        orders += [f"group={group}" for group in sorted(groups)]
    active = layers.layers()
    if not layers.puts_in_namespaces(devices):
        # In a process namespace of its own the launcher sees no parent.
        orders.append(f"parent={os.getpid()}")
    if active["landlock"].active:
        orders += landlock.orders(places)
    if active["seccomp"].active:
        calls = seccomp.build(platform.machine(), has_gpu=any(devices))
        orders += [f"seccomp={calls.code.hex()}", f"own_pid_at={calls.own_pid_at}"]
    return orders
