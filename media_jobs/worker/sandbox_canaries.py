"""What the self-test's probe must not reach, though any other process can."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Canaries:
    told: Mapping[str, str | int]
    """Where they are, as the probe is told."""
    descriptor: int


@contextmanager
def canaries_up() -> Iterator[Canaries]:
    """Put up a readable file, an open descriptor and three listeners."""
    with ExitStack() as stack:
        outside = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        outside.chmod(0o777)
        (outside / "canary").write_text("canary")
        file: IO[str] = stack.enter_context((outside / "canary").open())
        kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
        tcp, udp = (stack.enter_context(socket.socket(socket.AF_INET, kind)) for kind in kinds)
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(str(outside / "socket"))
        for listener in (tcp, udp):
            listener.bind(("127.0.0.1", 0))
        for listener in (tcp, unix):
            listener.listen()
        (outside / "socket").chmod(0o777)
        ports = {"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1]}
        told = {"outside": str(outside), "parent": os.getpid(), **ports}
        yield Canaries(told, file.fileno())
