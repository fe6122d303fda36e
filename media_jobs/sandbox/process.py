"""A running FFmpeg: kill it, wait for it, and know what it cost."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from media_jobs.sandbox import cgroup
from media_jobs.sandbox.launch_spec import Limits

_WATCH_S: Final = 0.5
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_SIGNALED: Final = range(129, 129 + 64)


@dataclass(frozen=True)
class Ended:
    returncode: int
    """Exit status, or minus the signal that ended it."""
    cpu_seconds: float
    wall_seconds: float


@dataclass(frozen=True)
class Namespace:
    """A process namespace: the process that it was made for, and bubblewrap, its first."""

    pid: int
    first_pid: int


@dataclass
class Forked:
    """A child of this process that the launcher forked for it."""

    pid: int
    stdout: IO[bytes]
    stderr: IO[bytes]
    returncode: int | None = None


class Process:
    """Alone in its session, which is its own.

    It is killed once ``limits.wall_s`` have passed or it holds more than ``limits.memory_bytes``,
    whether or not anybody waits for it.
    """

    def __init__(
        self,
        popen: subprocess.Popen[bytes] | Forked,
        limits: Limits,
        *,
        namespace: Namespace | None = None,
    ) -> None:
        """``namespace`` is that in which ``popen``, a bubblewrap, put it."""
        if popen.stdout is None or popen.stderr is None:
            raise ValueError("a sandboxed process talks through pipes")
        self.pid = namespace.pid if namespace else popen.pid
        self.stdout: IO[bytes] = popen.stdout
        self.stderr: IO[bytes] = popen.stderr
        self.timed_out = False
        self.out_of_memory = False
        self._popen = popen
        self._namespace = namespace
        self._limits = limits
        self._oom_kills = cgroup.oom_kills()
        self._started = time.monotonic()
        self._ended: Ended | None = None
        self._reaping = threading.Lock()
        self._pidfd = os.pidfd_open(popen.pid)
        weakref.finalize(self, os.close, self._pidfd)
        self._confined_pidfd = self._open(namespace.pid) if namespace else None
        self._die_first()
        self._have_it_watched()

    def kill(self) -> None:
        """Send SIGKILL to the whole group; does nothing once the process was waited for."""
        with self._reaping:
            if self._ended is None:
                self._kill()

    def wait(self, timeout_s: float | None = None) -> Ended:
        """Wait for the end; raises TimeoutError when it has not come within ``timeout_s``."""
        if self._ended is None and not self._has_exited(timeout_s):
            raise TimeoutError(f"process {self.pid} still runs after {timeout_s:g} s")
        with self._reaping:
            if self._ended is None:
                self._ended = self._reap()
            return self._ended

    def _open(self, pid: int) -> int | None:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended already
            return None
        weakref.finalize(self, os.close, descriptor)
        return descriptor

    def _die_first(self) -> None:
        """Where memory runs out the kernel is to choose this, not the worker or the database."""
        with contextlib.suppress(OSError):
            Path(f"/proc/{self.pid}/oom_score_adj").write_text("1000")

    def _kill(self) -> None:
        if self._namespace is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:  # it has not yet made its group
                os.kill(self.pid, signal.SIGKILL)
        elif self._confined_pidfd is not None:
            # Not bubblewrap: it is to tell how and at what cost this one ended.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._confined_pidfd, signal.SIGKILL)

    def _have_it_watched(self) -> None:
        watch = threading.Thread(target=self._watch_or_kill, daemon=True, name="sandbox-watch")
        try:
            watch.start()
        except BaseException:  # there may be no thread left for it
            self.kill()
            with self.stdout, self.stderr:
                self.wait()
            raise

    def _watch_or_kill(self) -> None:
        try:
            self._watch()
        except BaseException:
            self.kill()  # what nobody watches has no bounds
            raise

    def _watch(self) -> None:
        deadline = self._started + self._limits.wall_s
        while not self._has_exited(min(_WATCH_S, max(deadline - time.monotonic(), 0))):
            self.out_of_memory |= self._resident_bytes() > self._limits.memory_bytes
            self.timed_out |= time.monotonic() >= deadline
            if self.timed_out or self.out_of_memory:
                self.kill()
                return

    def _resident_bytes(self) -> int:
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE_BYTES
        except (FileNotFoundError, ProcessLookupError):
            return 0

    def _has_exited(self, timeout_s: float | None) -> bool:
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(None if timeout_s is None else timeout_s * 1000))

    def _reap(self) -> Ended:
        _, status, used = os.wait4(self._popen.pid, 0)
        # Popen would otherwise wait for a process that is no more.
        self._popen.returncode = self._told_by(os.waitstatus_to_exitcode(status))
        if self._popen.returncode == -signal.SIGKILL:
            self.out_of_memory |= cgroup.oom_kills() > self._oom_kills
        return Ended(
            returncode=self._popen.returncode,
            cpu_seconds=used.ru_utime + used.ru_stime + self._left_cpu_seconds(),
            wall_seconds=time.monotonic() - self._started,
        )

    def _left_cpu_seconds(self) -> float:
        """What the namespace took, where bubblewrap ended before it saw that end."""
        if self._namespace is None:
            return 0.0
        try:
            _, _, used = os.wait4(self._namespace.first_pid, 0)
        except ChildProcessError:
            return 0.0
        return used.ru_utime + used.ru_stime

    def _told_by(self, status: int) -> int:
        """Bubblewrap tells of a signal as a shell does."""
        return 128 - status if self._namespace and status in _SIGNALED else status
