"""Whether the sandbox holds, found by trying to get out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from media_jobs import sandbox
from media_jobs.host import scratch, toolchain
from media_jobs.sandbox import cgroup

# Beside its FFmpeg a slot has five processes of its own.
_OWN_MEMORY_BYTES = 1 << 30


@dataclass(frozen=True)
class Checked:
    report: sandbox.SandboxReport
    probes: Sequence[sandbox.Probe]
    reason: str
    """Why nothing could be tried, or what got out; empty where the sandbox holds."""
    checked_at: datetime

    @property
    def leaks(self) -> list[str]:
        return [probe.name for probe in self.probes if not probe.blocked]

    def to_json(self) -> dict[str, Any]:
        """As a slot tells it to whoever asks for its health."""
        return asdict(self.report) | {
            "probes": len(self.probes),
            "leaks": self.leaks,
            "reason": self.reason,
            "checked_at": self.checked_at.isoformat(),
        }


def check() -> Checked:
    """Try to escape from inside in every way that is known; takes about a fifth of a second."""
    now = datetime.now(UTC)
    try:
        with scratch.passing("selftest") as folder, scratch.passing("neighbour") as neighbour:
            probes = sandbox.selftest(folder, neighbour)
    except (sandbox.SandboxUnavailable, OSError) as error:
        # Not even where a degraded sandbox is accepted: there is none to be started.
        report = replace(sandbox.report(), level="none", allowed=False)
        return Checked(report, (), str(error), now)
    leaks = ", ".join(probe.name for probe in probes if not probe.blocked)
    reason = f"the self-test got out by: {leaks}" if leaks else ""
    report = sandbox.report(probes)
    if report.allowed and (amiss := "; ".join(toolchain.altered()) or toolchain.none_usable()):
        report, reason = replace(report, allowed=False), amiss
    return Checked(report, probes, reason, now)


def enter_group() -> None:
    """Bound the memory of this process and what it starts, where the host allows it."""
    cgroup.enter((settings.FFMPEG_MEMORY_MB << 20) + _OWN_MEMORY_BYTES)


def leave_group() -> None:
    cgroup.leave()
