"""A Python that is up already and forks whatever is to be confined: its start is paid once.

Each process that starts FFmpeg keeps one. What it forks is a child of that process and not its own
(CLONE_PARENT), so that waiting, killing and dying together are as if there were nothing between.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from media_jobs.sandbox.launcher import NONCE_BYTES, UNASKED

INTERPRETER: Final = str(Path(sys.executable).resolve())
_ANSWER_S: Final = 5.0
_PID_BYTES: Final = 4
# For how long what was forked for nobody is looked for: it ends as soon as it is scheduled.
_BURY_S: Final = 5.0
_BURY_EVERY_S: Final = 0.25


class ForkServer:
    """``script`` is the launcher; ``environment`` is that of whatever it forks.

    An answer counts only with the nonce of its request. Whatever goes wrong after a request was
    sent ends the server: a late answer finds nobody, and what was forked for it ends by itself.
    """

    def __init__(self, script: Path, environment: Mapping[str, str]) -> None:
        self._command = [INTERPRETER, "-I", "-S", str(script)]
        self._environment = environment
        self._asking = threading.Lock()
        self._control: socket.socket | None = None
        self._popen: subprocess.Popen[bytes] | None = None
        os.register_at_fork(after_in_child=self._forget)

    def fork(self, words: Sequence[str], stdout: int, stderr: int, status: int) -> int:
        """Give the number of a process that follows ``words``. Raises OSError.

        A server that was killed, or gives no answer, is replaced once.
        """
        with self._asking:
            try:
                pid = self._ask_and_let_go(words, (stdout, stderr, status))
            except (ConnectionError, TimeoutError):
                pid = self._ask_and_let_go(words, (stdout, stderr, status))
        if pid < 0:
            raise OSError("the launcher could not fork")
        return pid

    def _ask_and_let_go(self, words: Sequence[str], descriptors: tuple[int, ...]) -> int:
        """What is forked waits at a pipe until its number is known here, and ends without."""
        waits, go = os.pipe()
        try:
            pid = self._ask(words, (*descriptors, waits))
            os.write(go, b"!")
        except BaseException:
            self.close()
            raise
        finally:
            os.close(waits)
            os.close(go)
        return pid

    def _ask(self, words: Sequence[str], descriptors: tuple[int, ...]) -> int:
        control = self._control = self._control or self._start()
        control.settimeout(_ANSWER_S)
        nonce = os.urandom(NONCE_BYTES)
        # Not in the message itself, which can't be as long as a command line.
        file = os.memfd_create("words")
        try:
            content = "\0".join(words).encode(errors="surrogateescape")
            with os.fdopen(os.dup(file), "wb") as writing:
                writing.write(content)
            os.lseek(file, 0, os.SEEK_SET)
            socket.send_fds(control, [nonce], [file, *descriptors])
        finally:
            os.close(file)
        answer = control.recv(NONCE_BYTES + _PID_BYTES)
        if answer[:NONCE_BYTES] != nonce:
            raise ConnectionAbortedError("no answer, or one to something else")
        return int.from_bytes(answer[NONCE_BYTES:], "little", signed=True)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        is_tried = threading.Event()
        arguments = (theirs, is_tried)
        keeper = threading.Thread(target=self._keep, args=arguments, daemon=True, name="forks")
        try:
            keeper.start()
        except RuntimeError as error:
            ours.close()
            theirs.close()
            raise OSError(f"the launcher could not be started: {error}") from error
        is_tried.wait()
        if self._popen is None:
            ours.close()
            raise OSError("the launcher could not be started")
        return ours

    def _keep(self, theirs: socket.socket, is_tried: threading.Event) -> None:
        """Start it in a thread that never ends: with the thread all that was forked would die."""
        try:
            with theirs:
                popen = self._popen = subprocess.Popen(  # noqa: S603 - our own script
                    [*self._command, f"serve={theirs.fileno()}"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=self._environment,
                    pass_fds=(theirs.fileno(),),
                )
        finally:
            is_tried.set()
        popen.wait()
        _bury_unasked()
        threading.Event().wait()

    def close(self) -> None:
        """End it; what it forked goes on, and the next one asked for starts another."""
        control, popen = self._control, self._popen
        self._control = self._popen = None
        if control is not None:
            control.close()
        if popen is not None:
            popen.kill()  # also one that is stopped, which would see nothing of the socket's end

    def _forget(self) -> None:
        """In a forked process: the server and the lock's holder are the other's."""
        self._asking = threading.Lock()
        self._popen = None
        self.close()


def _bury_unasked() -> None:
    """Wait for what a server forked before it ended, and whose number nobody has learned."""
    until = time.monotonic() + _BURY_S
    while time.monotonic() < until:
        for child in psutil.Process().children():
            with contextlib.suppress(ChildProcessError):  # another thread waited for it
                ended = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if ended and (ended.si_code, ended.si_status) == (os.CLD_EXITED, UNASKED):
                    os.waitpid(child.pid, 0)
        time.sleep(_BURY_EVERY_S)
