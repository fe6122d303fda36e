"""What the self-test's probe must not reach, though any other process can."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import IO


@dataclass(frozen=True)
class Canaries:
    told: Mapping[str, str | int]
    """Where they are, as the probe is told."""
    descriptor: int
    outside: Path
    listeners: Sequence[socket.socket]

    def were_reached(self) -> bool:
        """Has anybody knocked, or left something in the folder?"""
        names = {path.name for path in self.outside.iterdir()}
        return names != {"canary", "socket"} or any(map(_was_reached, self.listeners))


@contextmanager
def canaries_up() -> Iterator[Canaries]:
    """Put up a readable file, an open descriptor and four listeners."""
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
        told = {"outside": str(outside), "abstract": abstract, "parent": os.getpid(), **ports}
        yield Canaries(told, file.fileno(), outside, listeners)


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
