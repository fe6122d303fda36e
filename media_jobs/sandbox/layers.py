"""Which layers of the sandbox this machine can give, and whether they are enough."""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from media_jobs.sandbox import allowed_paths, cgroup, landlock, namespaces, seccomp

_DEFAULT_UID: Final = 65534
# Without one of each FFmpeg could read another tenant's files or open a connection.
_REQUIRED: Final = (("process",), ("seccomp",), ("landlock", "namespaces"))


_SPARED: Final = "Landlock does the same; FFAPI_SANDBOX_NAMESPACES=on adds them"


class SandboxUnavailable(RuntimeError):  # noqa: N818 - it names the state
    """FFmpeg cannot be confined here, so it is not started."""


@dataclass(frozen=True)
class Layer:
    available: bool
    active: bool
    version: str | None = None
    reason: str | None = None
    """Why it is not active."""


@dataclass(frozen=True)
class Probe:
    """One attempt to escape."""

    name: str
    blocked: bool


@dataclass(frozen=True)
class SandboxReport:
    layers: Mapping[str, Layer]
    level: Literal["full", "reduced", "none"]
    allowed: bool
    """May media be processed here?"""


def may_be_degraded() -> bool:
    return os.environ.get("ALLOW_DEGRADED_SANDBOX", "").strip() == "1"


def target_uid() -> int | None:
    """The user that FFmpeg runs as; None when the worker cannot change users."""
    if os.geteuid() != 0:
        return None
    return int(os.environ.get("SANDBOX_UID", _DEFAULT_UID))


def may_read(path: Path) -> bool:
    """Whether the user that FFmpeg runs as can open a file that every layer lets it read."""
    if target_uid() is None:
        return os.access(path, os.R_OK)
    real = path.resolve()
    return bool(real.stat().st_mode & stat.S_IROTH) and all(
        folder.stat().st_mode & stat.S_IXOTH for folder in real.parents
    )


def puts_in_namespaces(devices: Sequence[str]) -> bool:
    """What uses a GPU is left out where Landlock does as well.

    How much of /proc and /sys a driver needs differs from one to the next.
    """
    found = layers()
    return found["namespaces"].active and not (devices and found["landlock"].active)


def layers() -> dict[str, Layer]:
    user = Layer(available=False, active=False, reason="the worker does not run as root")
    uid = target_uid()
    if uid is not None:
        user = Layer(available=True, active=True, version=str(uid))
    return {
        "process": Layer(available=True, active=True),
        "user": user,
        "landlock": _landlock(),
        "seccomp": _switchable("seccomp", platform.machine(), seccomp.unavailable_reason()),
        "namespaces": _namespaces(),
        "cgroup": _cgroup(),
    }


def report(probes: Sequence[Probe] = ()) -> SandboxReport:
    """Summarise the layers; an escape found among ``probes`` outweighs whatever is installed."""
    found = layers()
    escaped = any(not probe.blocked for probe in probes)
    if escaped or _missing(found):
        return SandboxReport(found, "none", allowed=may_be_degraded())
    complete = all(layer.active or layer.reason == _SPARED for layer in found.values())
    return SandboxReport(found, "full" if complete else "reduced", allowed=True)


def require() -> None:
    """Raise SandboxUnavailable unless media may be processed here."""
    missing = _missing(layers())
    if missing and not may_be_degraded():
        raise SandboxUnavailable("; ".join(missing))


def _missing(found: Mapping[str, Layer]) -> list[str]:
    """What stands against processing media, each with its reason."""
    wanted = [*_REQUIRED]
    if namespaces.wanted() == "on":
        wanted.append(("namespaces",))
    missing = [
        " and ".join(f"{name}: {found[name].reason}" for name in names)
        for names in wanted
        if not any(found[name].active for name in names)
    ]
    return [*missing, *allowed_paths.exposed()]


def _landlock() -> Layer:
    abi, reason = landlock.version()
    return _switchable("landlock", str(abi) if abi else None, reason)


def _namespaces() -> Layer:
    wanted = namespaces.wanted()
    if wanted == "off":
        return Layer(True, active=False, reason="FFAPI_SANDBOX_NAMESPACES is off")
    if wanted == "auto" and _landlock().active:
        return Layer(True, active=False, reason=_SPARED)
    reason = namespaces.unavailable_reason()
    return _switchable("namespaces", namespaces.version(), reason)


def _cgroup() -> Layer:
    if cgroup.wanted() == "off":
        return Layer(True, active=False, reason="FFAPI_SANDBOX_CGROUP is off")
    base, reason = cgroup.found()
    if base is None:
        return Layer(available=False, active=False, reason=reason)
    if not cgroup.is_entered():
        return Layer(True, active=False, reason="only slots have a control group of their own")
    return Layer(available=True, active=True, version=f"v{base.version}")


def _switchable(name: str, version: str | None, reason: str | None) -> Layer:
    if reason is not None:
        return Layer(available=False, active=False, reason=reason)
    # Only for tests of the other layers, and only where a degraded sandbox is accepted anyway.
    switched_off = os.environ.get("FFAPI_SANDBOX_DISABLE", "").split(",")
    if may_be_degraded() and name in switched_off:
        return Layer(True, active=False, version=version, reason="switched off by the environment")
    return Layer(available=True, active=True, version=version)
