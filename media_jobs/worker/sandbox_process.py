"""A running FFmpeg: kill it, wait for it, and know what it cost."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
import weakref
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True)
class Ended:
    returncode: int
    """Exit status, or minus the signal that ended it."""
    cpu_seconds: float
    wall_seconds: float


class Process:
    """The leader, and only member, of its own session and process group.

    It is killed once ``wall_s`` have passed, whether or not anybody waits for it.
    """

    def __init__(self, popen: subprocess.Popen[bytes], *, wall_s: float) -> None:
        if popen.stdout is None or popen.stderr is None:
            raise ValueError("a sandboxed process talks through pipes")
        self.pid = popen.pid
        self.stdout: IO[bytes] = popen.stdout
        self.stderr: IO[bytes] = popen.stderr
        self.timed_out = False
        self._popen = popen
        self._started = time.monotonic()
        self._ended: Ended | None = None
        self._reaping = threading.Lock()
        self._pidfd = os.pidfd_open(popen.pid)
        weakref.finalize(self, os.close, self._pidfd)
        self._deadline = threading.Timer(wall_s, self._expire)
        self._deadline.daemon = True
        self._deadline.start()

    def kill(self) -> None:
        """Send SIGKILL to the whole group; does nothing once the process was waited for."""
        with self._reaping:
            if self._ended is None:
                os.killpg(self.pid, signal.SIGKILL)

    def wait(self, timeout_s: float | None = None) -> Ended:
        """Wait for the end; raises TimeoutError when it has not come within ``timeout_s``."""
        if self._ended is None and not self._has_exited(timeout_s):
            raise TimeoutError(f"process {self.pid} still runs after {timeout_s:g} s")
        with self._reaping:
            if self._ended is None:
                self._ended = self._reap()
            return self._ended

    def _expire(self) -> None:
        self.timed_out = not self._has_exited(0)
        self.kill()

    def _has_exited(self, timeout_s: float | None) -> bool:
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(None if timeout_s is None else timeout_s * 1000))

    def _reap(self) -> Ended:
        _, status, used = os.wait4(self.pid, 0)
        self._deadline.cancel()
        # Popen would otherwise wait for a process that is no more.
        self._popen.returncode = os.waitstatus_to_exitcode(status)
        return Ended(
            returncode=self._popen.returncode,
            cpu_seconds=used.ru_utime + used.ru_stime,
            wall_seconds=time.monotonic() - self._started,
        )
