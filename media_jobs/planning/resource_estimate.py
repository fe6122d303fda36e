"""What a job is expected to need, so that a host takes no more than it can carry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from media_jobs.operations.core import Source

# Read off x264 and x265 with their default look-ahead: about 250 MiB whatever the size, and
# 170 MiB for each million pixels of a frame.
_BASE_MB = 250
_PER_MEGAPIXEL_MB = 170
_UNKNOWN_MEGAPIXELS = 2.1
_MIB = 1 << 20
# x264 and its like, with the presets that are usual here: what a second of a million pixels takes
# of one CPU. Only an estimate: what is measured takes its place when the job ends.
_START_CPU_MS = 1000
_CPU_MS_PER_MEGAPIXEL_SECOND = 600
_CPU_MS_PER_SECOND = 50
_UNSEEN_CPU_MS = 30_000


@dataclass(frozen=True)
class Weight:
    memory_mb: int
    scratch_mb: int
    cpu_ms: int


def of(sources: Iterable[Source], *, unseen: int, largest_input_mb: int) -> Weight:
    """Weigh a job by the ``sources`` that are known and the number of those still ``unseen``.

    Outputs are taken to be as large as the inputs; an unseen input as half of what is allowed.
    """
    known = list(sources)
    videos = [each.info.video for each in known]
    megapixels = [each.coded_width * each.coded_height / 1e6 if each else 0.0 for each in videos]
    cpu_ms = [
        round(each.duration_s * (_CPU_MS_PER_SECOND + _CPU_MS_PER_MEGAPIXEL_SECOND * size))
        for each, size in zip(known, megapixels, strict=True)
    ]
    largest = max(megapixels + [_UNKNOWN_MEGAPIXELS] * bool(unseen), default=0.0)
    inputs_mb = sum((each.info.size_bytes or 0) // _MIB for each in known)
    return Weight(
        memory_mb=round(_BASE_MB + _PER_MEGAPIXEL_MB * largest),
        scratch_mb=64 + 2 * inputs_mb + unseen * largest_input_mb // 2,
        cpu_ms=_START_CPU_MS + sum(cpu_ms) + unseen * _UNSEEN_CPU_MS,
    )
