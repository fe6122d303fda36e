"""A Python that is up already and forks whatever is to be confined: its start is paid once.

Each process that starts FFmpeg keeps one. What it forks is a child of that process and not its own
(CLONE_PARENT), so that waiting, killing and dying together are as if there were nothing between.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

INTERPRETER: Final = str(Path(sys.executable).resolve())
_ANSWER_S: Final = 10.0


class ForkServer:
    """``script`` is the launcher; ``environment`` is that of whatever it forks."""

    def __init__(self, script: Path, environment: Mapping[str, str]) -> None:
        self._command = [INTERPRETER, "-I", "-S", str(script)]
        self._environment = environment
        self._asking = threading.Lock()
        self._control: socket.socket | None = None
        os.register_at_fork(after_in_child=self._forget)

    def fork(self, words: Sequence[str], stdout: int, stderr: int, status: int) -> int:
        """Give the number of a process that follows ``words``. Raises OSError."""
        with self._asking:
            try:
                return self._ask(words, (stdout, stderr, status))
            except (BrokenPipeError, ConnectionError):
                self.close()  # it was killed: the next one is as good
                return self._ask(words, (stdout, stderr, status))

    def _ask(self, words: Sequence[str], descriptors: tuple[int, ...]) -> int:
        control = self._control = self._control or self._start()
        # Not in the message itself, which can't be as long as a command line.
        file = os.memfd_create("words")
        try:
            content = "\0".join(words).encode(errors="surrogateescape")
            with os.fdopen(os.dup(file), "wb") as writing:
                writing.write(content)
            os.lseek(file, 0, os.SEEK_SET)
            socket.send_fds(control, [b"!"], [file, *descriptors])
        finally:
            os.close(file)
        answer = control.recv(4)
        if not answer:
            raise ConnectionResetError
        pid = int.from_bytes(answer, "little", signed=True)
        if pid < 0:
            raise OSError("the launcher could not fork")
        return pid

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_ANSWER_S)
        is_up = threading.Event()
        threading.Thread(target=self._keep, args=(theirs, is_up), daemon=True, name="forks").start()
        is_up.wait()
        return ours

    def _keep(self, theirs: socket.socket, is_up: threading.Event) -> None:
        """Start it in a thread that never ends: with the thread all that was forked would die."""
        with theirs:
            popen = subprocess.Popen(  # noqa: S603 - our own script
                [*self._command, f"serve={theirs.fileno()}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=self._environment,
                pass_fds=(theirs.fileno(),),
            )
        is_up.set()
        popen.wait()
        threading.Event().wait()

    def close(self) -> None:
        """End it; what it forked goes on, and the next one asked for starts another."""
        if self._control is not None:
            self._control.close()
            self._control = None

    def _forget(self) -> None:
        """In a forked process: the server and the lock's holder are the other's."""
        self._asking = threading.Lock()
        self.close()
