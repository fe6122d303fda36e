"""What the self-test's probe must not reach, though any other process can."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import IO, Final

from media_jobs.sandbox.allowed_paths import Private, is_there

_PREFIX: Final = ".canary-"
_LEFT_BEHIND_S: Final = 600.0


@dataclass(frozen=True)
class Canaries:
    told: Mapping[str, object]
    """Where they are, as the probe is told."""
    descriptor: int
    outside: Path
    listeners: Sequence[socket.socket]
    to_write: Sequence[Path]
    """Files that the probe tries to make."""

    def were_reached(self) -> bool:
        """Has anybody knocked, or left something in a folder?"""
        names = {path.name for path in self.outside.iterdir()}
        written = any(path.exists() for path in self.to_write)
        return written or names != {"canary", "socket"} or any(map(_was_reached, self.listeners))


@contextmanager
def canaries_up(private: Iterable[Private] = ()) -> Iterator[Canaries]:
    """Put up a readable file, an open descriptor and four listeners; a file in what is private."""
    with ExitStack() as stack:
        outside = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        outside.chmod(0o777)
        (outside / "canary").write_text("canary")
        file: IO[str] = stack.enter_context((outside / "canary").open())
        abstract = f"\0ffapi-{token_hex(8)}"
        tcp, udp, *_ = listeners = (
            stack.enter_context(_listener(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))),
            stack.enter_context(_listener(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))),
            stack.enter_context(_listener(socket.AF_UNIX, socket.SOCK_STREAM, f"{outside}/socket")),
            stack.enter_context(_listener(socket.AF_UNIX, socket.SOCK_STREAM, abstract)),
        )
        (outside / "socket").chmod(0o777)
        ports = {"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1]}
        tried = [stack.enter_context(_tried(each)) for each in private if is_there(each.path)]
        told = {"outside": str(outside), "abstract": abstract, "parent": os.getpid(), **ports}
        told["private"] = [each.told for each in tried]
        written = [each.to_write for each in tried if each.to_write]
        yield Canaries(told, file.fileno(), outside, listeners, written)


@dataclass(frozen=True)
class _Tried:
    name: str
    folder: Path | None
    file: Path | None
    to_write: Path | None

    @property
    def told(self) -> dict[str, str]:
        found = {"folder": self.folder, "file": self.file, "to_write": self.to_write}
        return {"name": self.name} | {key: str(path or "") for key, path in found.items()}


@contextmanager
def _tried(private: Private) -> Iterator[_Tried]:
    """Have something to read in ``private``; a folder that can't be written has it already."""
    name, path = private.name, private.path
    if not path.is_dir():
        yield _Tried(name, None, path, None)
        return
    if private.holds_others:
        yield _Tried(name, path, _any_file(path), None)
        return
    canary = _planted(path)
    to_write = path / f"{_PREFIX}{token_hex(8)}"
    try:
        yield _Tried(name, path, canary or _any_file(path), to_write)
    finally:
        for made in filter(None, (canary, to_write)):
            with suppress(OSError):  # a folder that can't be written
                made.unlink(missing_ok=True)


def _planted(folder: Path) -> Path | None:
    canary = folder / f"{_PREFIX}{token_hex(8)}"
    try:
        for left_behind in folder.glob(f"{_PREFIX}*"):  # by a process that was killed
            if time.time() - left_behind.lstat().st_mtime > _LEFT_BEHIND_S:
                left_behind.unlink(missing_ok=True)
        with canary.open("x") as file:
            file.write("canary")
            os.fchmod(file.fileno(), 0o644)  # by name it might be a link by now
    except OSError:
        return None
    return canary


def _any_file(folder: Path) -> Path | None:
    with suppress(PermissionError):
        return next((each for each in folder.iterdir() if each.is_file()), None)
    return None


def _listener(family: int, kind: int, address: tuple[str, int] | str) -> socket.socket:
    opened = socket.socket(family, kind)
    opened.bind(address)
    if kind == socket.SOCK_STREAM:
        opened.listen()
    opened.setblocking(False)
    return opened


def _was_reached(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_STREAM:
            listener.accept()[0].close()
        else:
            listener.recv(1)
    except BlockingIOError:
        return False
    return True
