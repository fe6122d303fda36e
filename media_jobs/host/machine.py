"""What the machine of a slot can give to jobs."""

from __future__ import annotations

import math
import os
import shutil
import socket

import psutil
from django.conf import settings

from ffapi_site.lib import trees

_MIB = 1 << 20


def name() -> str:
    """Tells hosts apart; a folder of one's own makes a host of one's own."""
    return str(settings.HOST_NAME or socket.gethostname())


def memory_mb() -> int:
    """What all jobs of the host may take together: four fifths of it, unless a setting says."""
    return int(settings.HOST_MEMORY_MB or psutil.virtual_memory().total * 4 // 5 // _MIB)


def scratch_mb() -> int:
    """What the scratch disk has above the reserve: the part that running jobs already use too."""
    settings.SCRATCH_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    used = sum(trees.used_bytes(folder) for folder in settings.SCRATCH_DIR.glob("job_*"))
    free = shutil.disk_usage(settings.SCRATCH_DIR).free
    return max((free + used) // _MIB - settings.MIN_FREE_SPACE_MB, 0)


def cpus_of_slot() -> frozenset[int]:
    """The CPUs on which the FFmpeg of this slot runs: neighbours get neighbouring ones.

    Read by FFmpeg itself, so that decoders, filters and encoders all start as many threads as fit.
    Two at least: pinned to one each, two encodes on two CPUs took 1.4 times as long as unpinned.
    """
    usable = sorted(os.sched_getaffinity(0))
    slots = max(sum(settings.LANES.values()), 1)
    wanted = settings.FFMPEG_THREADS or max(2, math.ceil(len(usable) / slots))
    if wanted >= len(usable):
        return frozenset()
    number = os.environ.get("FFAPI_SLOT", "").rpartition("-")[2]
    first = wanted * (int(number) - 1) if number.isdecimal() else 0
    return frozenset(usable[(first + n) % len(usable)] for n in range(wanted))
