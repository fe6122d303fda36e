"""A control group for one slot: the kernel bounds its memory and threads, whatever it does.

One for a slot and not for a process, since to move a process into a group takes the kernel as long
as all the rest of the sandbox (it waits for every CPU); what a slot starts is born in its group.
Version 2 where the slot's own group may have children that are limited, else version 1.
https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/memory.html
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

# Threads count. FFmpeg starts some dozens on a large machine; more is a bomb.
_THREADS: Final = 2048
_PREFIX: Final = "ffapi-"
_MOUNT = re.compile(r"^\S+ \S+ \S+ (\S+) (\S+) .* - (cgroup2?) \S+ (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Base:
    """Where groups are made: the folders of the worker's own, by controller; version 2 has one."""

    version: int
    memory: Path
    pids: Path | None

    @property
    def folders(self) -> tuple[Path, ...]:
        return (self.memory,) if self.pids is None else (self.memory, self.pids)


def wanted() -> str:
    """``auto``: children of the worker's own; ``off``; or the folder of another, version 2."""
    return os.environ.get("FFAPI_SANDBOX_CGROUP", "auto").strip()


@lru_cache(maxsize=1)
def found() -> tuple[Base | None, str]:
    """Give where groups can be made, tried by making one, or None and the reason."""
    reasons = []
    for base in _candidates():
        try:
            # Refused where the group has processes, and so may not limit children.
            control = base.memory / "cgroup.subtree_control"
            if base.version == 2 and "memory" not in control.read_text().split():
                control.write_text("+memory +pids")
            # What workers left behind that were killed.
            for left in (path for folder in base.folders for path in folder.glob(f"{_PREFIX}*")):
                if not Path("/proc", left.name.removeprefix(_PREFIX)).exists():
                    with contextlib.suppress(OSError):
                        left.rmdir()
            _make(base, memory_bytes=1 << 30)
            _remove(base)
        except OSError as error:
            reasons.append(f"{base.memory}: {error.strerror}")
        else:
            return base, ""
    return None, "; ".join(reasons) or "no memory controller is mounted"


def enter(memory_bytes: int) -> None:
    """Move this process, and so what it starts, into a group of its own where there can be one."""
    base = _usable()
    if base is None or is_entered():
        return
    _make(base, memory_bytes)
    for folder in base.folders:
        (folder / _name() / "cgroup.procs").write_text("0")
    _counter.cache_clear()


def leave() -> None:
    """Go back and remove the group; what a killed slot leaves is swept by the next."""
    base = _usable()
    if base is None or not is_entered():
        return
    for folder in base.folders:
        (folder / "cgroup.procs").write_text("0")
    _counter.cache_clear()
    _remove(base)


def is_entered() -> bool:
    """Is this process in a group of a slot, its own or that of what started it?"""
    return _counter(os.getpid()) is not None


def oom_kills() -> int:
    """How many processes the kernel has killed in this group for want of memory."""
    counter = _counter(os.getpid())
    if counter is None:
        return 0
    told = re.search(r"^oom_kill (\d+)$", counter.read_text(), re.MULTILINE)
    return int(told[1]) if told else 0


@lru_cache(maxsize=1)
def _counter(_: int) -> Path | None:
    """Where the kernel counts them, of a process that is in a slot's group."""
    folders = _own_folders()
    for controller, name in (("", "memory.events"), ("memory", "memory.oom_control")):
        group = folders.get(controller)
        if group is not None and group.name.startswith(_PREFIX):
            return group / name
    return None


def _usable() -> Base | None:
    return None if wanted() == "off" else found()[0]


def _name() -> str:
    return f"{_PREFIX}{os.getpid()}"


def _make(base: Base, memory_bytes: int) -> None:
    for folder in base.folders:
        (folder / _name()).mkdir(exist_ok=True)
    is_v2 = base.version == 2
    most, swap = ("max", "swap.max") if is_v2 else ("limit_in_bytes", "memsw.limit_in_bytes")
    group = base.memory / _name()
    (group / f"memory.{most}").write_text(str(memory_bytes))
    if (base.memory / f"memory.{swap}").exists():
        # Version 1 counts both together.
        (group / f"memory.{swap}").write_text("0" if is_v2 else str(memory_bytes))
    with contextlib.suppress(FileNotFoundError):
        (base.folders[-1] / _name() / "pids.max").write_text(str(_THREADS))


def _remove(base: Base) -> None:
    for folder in base.folders:
        with contextlib.suppress(OSError):
            (folder / _name()).rmdir()


def _candidates() -> Iterator[Base]:
    if wanted() not in ("auto", "off"):
        yield Base(2, Path(wanted()), None)
        return
    own = _own_folders()
    if "" in own and "memory" in (own[""] / "cgroup.controllers").read_text().split():
        yield Base(2, own[""], None)
    if "memory" in own:
        yield Base(1, own["memory"], own.get("pids"))


def _own_folders() -> dict[str, Path]:
    """The folder of this process's group, by controller; the empty name is version 2's."""
    mounts = _mounts()
    found: dict[str, Path] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        for controller in controllers.split(","):
            root, place = mounts.get(controller, (group, ""))
            inside = os.path.relpath(group, root)
            if place and not inside.startswith(".."):
                found[controller] = Path(place, inside)
    return found


@lru_cache(maxsize=1)
def _mounts() -> dict[str, tuple[str, str]]:
    """By controller, the group that is mounted and where."""
    mounts: dict[str, tuple[str, str]] = {}
    for root, place, kind, options in _MOUNT.findall(Path("/proc/self/mountinfo").read_text()):
        for controller in [""] if kind == "cgroup2" else options.split(","):
            mounts.setdefault(controller, (root, place))
    return mounts
