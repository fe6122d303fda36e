"""The system calls that FFmpeg may make, as a classic BPF program built by hand.

A list of what is allowed: what a kernel learns after this was written is refused unseen. Of what is
refused, the calls that programs know how to do without answer ENOSYS, the others EPERM.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from media_jobs.sandbox import seccomp_calls as calls

# linux/bpf_common.h, linux/seccomp.h
_LOAD: Final = 0x20
_AND: Final = 0x54
_JUMP_EQUAL: Final = 0x15
_JUMP_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_KILL_PROCESS: Final = 0x80000000
_DENY: Final = 0x00050000 | errno.EPERM
_MISSING: Final = 0x00050000 | errno.ENOSYS
_NUMBER_AT: Final = 0
_ARCH_AT: Final = 4
_ARGUMENTS_AT: Final = 16
_X32_BIT: Final = 0x40000000

_CLONE_THREAD: Final = 0x00010000
# prctl: names of threads and of memory (2.38's malloc), and questions about oneself.
_PR_ALLOWED: Final = (
    *(2, 3, 15, 16, 23, 27, 39),  # GET_PDEATHSIG ... SET_NAME, GET_NAME ... GET_NO_NEW_PRIVS
    *(41, 42, 51, 56, 64, 0x53564D41),  # THP_DISABLE, SVE_GET_VL, TAGGED_ADDR, SME_GET_VL, VMA
)
# ioctl: is it a terminal, and how wide; how much waits to be read; flags of the descriptor itself.
# All else changes what outlives the process (FS_IOC_SETFLAGS) or reaches others (TIOCSTI).
_IOCTL_ALLOWED: Final = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# With a GPU besides, by the second byte: NVIDIA's (and UVM's, which has none), DRM's, and those of
# shared buffers and their fences.
_IOCTL_TYPE: Final = 0xFF00
_IOCTL_OF_DRIVERS: Final = (0x0000, ord("F") << 8, ord("d") << 8, ord("b") << 8, ord(">") << 8)
# fcntl: copies, flags and locks; not owners, signals, leases or watches.
_F_ALLOWED: Final = (*range(8), 36, 37, 38, 1030, 1032)
_PRIO_PGRP: Final = 1
_PRIO_USER: Final = 2
# Replaced by the launcher, which alone knows its process id.
_OWN_PID: Final = 0

# machine: (column of the tables, AUDIT_ARCH_*)
_MACHINES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_PR_GET_SECCOMP: Final = 21
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2


@dataclass(frozen=True)
class Filter:
    code: bytes
    own_pid_at: int
    """Offset of the 32 bits that hold the process's own id."""


@dataclass(frozen=True)
class _Condition:
    """One argument decides: ``hit`` where it, masked, is one of ``values``, else ``miss``.

    With no ``miss`` what follows in the list decides.
    """

    number: tuple[int, int]
    argument: int
    values: tuple[int, ...]
    hit: int
    miss: int | None
    mask: int = 0xFFFFFFFF

    def compiled(self, column: int) -> bytes:
        test = _step(_LOAD, _ARGUMENTS_AT + 8 * self.argument) + _step(_AND, self.mask)
        test += _answer(self.values, self.hit)
        undecided = self.miss is None
        test += _step(_LOAD, _NUMBER_AT) if undecided else _step(_RETURN, self.miss or 0)
        return _step(_JUMP_EQUAL, self.number[column], no=len(test) // len(_step(0, 0))) + test


_ONLY_TGKILL_OWN = _Condition(calls.TGKILL, 0, (_OWN_PID,), _ALLOW, _DENY)
_CONDITIONS: Final = (
    # First: the launcher finds the place of the process id by it.
    _ONLY_TGKILL_OWN,
    _Condition(calls.CLONE, 0, (_CLONE_THREAD,), _ALLOW, _DENY, mask=_CLONE_THREAD),
    _Condition(calls.PRLIMIT64, 0, (0,), _ALLOW, _DENY),
    # Not PR_SET_PDEATHSIG: whoever takes FFmpeg over must not outlive the worker.
    _Condition(calls.PRCTL, 0, _PR_ALLOWED, _ALLOW, _DENY),
    _Condition(calls.IOCTL, 1, _IOCTL_ALLOWED, _ALLOW, _DENY),
    # Not F_SETOWN: the kernel would send any signal to whoever is named.
    _Condition(calls.FCNTL, 1, _F_ALLOWED, _ALLOW, _DENY),
    # x264 lowers a thread of its own; those of other tenants' FFmpegs have the same user.
    _Condition(calls.SETPRIORITY, 0, (_PRIO_PGRP, _PRIO_USER), _DENY, None),
    _Condition(calls.SETPRIORITY, 1, (0,), _ALLOW, _DENY),
    _Condition(calls.SCHED_SETAFFINITY, 0, (0,), _ALLOW, _DENY),
    _Condition(calls.SCHED_SETATTR, 0, (0,), _ALLOW, _DENY),
    _Condition(calls.SCHED_SETPARAM, 0, (0,), _ALLOW, _DENY),
    _Condition(calls.SCHED_SETSCHEDULER, 0, (0,), _ALLOW, _DENY),
)

_DRIVERS: Final = _Condition(calls.IOCTL, 1, _IOCTL_OF_DRIVERS, _ALLOW, None, mask=_IOCTL_TYPE)


class UnknownMachine(ValueError):  # noqa: N818 - it names the state
    """No table of system calls for this processor."""


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _answer(values: Sequence[int], answer: int) -> bytes:
    """``answer`` where what was loaded is one of ``values`` (255 at most), else go on."""
    last = len(values) - 1
    jumps = [
        _step(_JUMP_EQUAL, value, yes=last - place, no=int(place == last))
        for place, value in enumerate(values)
    ]
    return b"".join(jumps) + _step(_RETURN, answer)


def _listed(table: Mapping[str, calls.Numbers], column: int) -> list[int]:
    return [number for numbers in table.values() if (number := numbers[column]) is not None]


@lru_cache(maxsize=4)
def build(machine: str, *, has_gpu: bool = False) -> Filter:
    """Compile the filter for ``machine``; raises ``UnknownMachine``."""
    if machine not in _MACHINES:
        raise UnknownMachine(f"no system call table for {machine}")
    column, arch = _MACHINES[machine]
    head = (
        _step(_LOAD, _ARCH_AT)
        + _step(_JUMP_EQUAL, arch, yes=1)
        + _step(_RETURN, _KILL_PROCESS)
        + _step(_LOAD, _NUMBER_AT)
        # x32 calls carry the x86-64 arch but other numbers.
        + _step(_JUMP_AT_LEAST, _X32_BIT, no=1)
        + _step(_RETURN, _DENY)
    )
    # The first has the place of the process id.
    conditions = (*_CONDITIONS[:1], *([_DRIVERS] if has_gpu else ()), *_CONDITIONS[1:])
    code = (
        head
        + b"".join(each.compiled(column) for each in conditions)
        + _answer(_listed(calls.ALLOWED, column), _ALLOW)
        + _answer(_listed(calls.DENIED, column), _DENY)
        # clone3 too: the C library then takes clone, whose flags a filter can read.
        + _step(_RETURN, _MISSING)
    )
    # Three instructions into the first condition, four bytes into the instruction.
    return Filter(code, own_pid_at=len(head) + 3 * 8 + 4)


@lru_cache(maxsize=1)
def unavailable_reason() -> str | None:
    """Say why this machine cannot filter system calls, None where it can."""
    machine = platform.machine()
    if machine not in _MACHINES:
        return f"no system call table for {machine}"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) == -1:
        return "the kernel has no seccomp"
    # A kernel that can filter looks at the (null) program and answers EFAULT.
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, None, 0, 0)
    return None if ctypes.get_errno() == errno.EFAULT else "the kernel has no seccomp filters"
