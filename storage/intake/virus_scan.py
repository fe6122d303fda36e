"""Ask ClamAV about a file, by its INSTREAM protocol (clamd(8)): no shared folder is needed."""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from django.conf import settings

from ffapi_site.lib.problems import Unavailable
from ffapi_site.lib.refusal import Refusal

_CHUNK_BYTES: Final = 64 * 1024
_CONNECT_S: Final = 5.0
_SEND_S: Final = 30.0
_VERDICT_S: Final = 300.0
_TICK_S: Final = 0.5
_ANSWER_BYTES: Final = 4096
_FOUND: Final = re.compile(r"stream: (.{1,200}) FOUND")


class NotClean(Refusal):
    """The scanner knows what is in the file, or will never look at all of it"""


class ScannerUnavailable(Unavailable):
    """The virus scanner gives no verdict, and without one no file is taken"""

    code = "scanner_unavailable"

    def __init__(self, why: str) -> None:
        """``why`` is for those who read the log."""
        wait = {"Retry-After": "60"}
        super().__init__("the virus scanner can't be asked just now", headers=wait)
        self.add_note(why)


def scan(path: Path, on_wait: Callable[[], object] = lambda: None) -> None:
    """Return if the file is clean. Raises ``NotClean``, or ``ScannerUnavailable`` in any doubt.

    ``on_wait`` is called with each piece and at least twice a second while nothing goes on.
    """
    try:
        with closing(_connected(settings.CLAMAV_SOCKET)) as scanner:
            scanner.settimeout(_TICK_S)
            # Whoever hangs up in the middle has mostly said why before.
            with suppress(BrokenPipeError, ConnectionResetError):
                for piece in _pieces(path):
                    _send(scanner, piece, on_wait)
                    on_wait()
            verdict = _verdict(scanner, on_wait)
    except OSError as error:
        raise ScannerUnavailable(str(error)) from error
    if verdict == "stream: OK":
        return
    if found := _FOUND.fullmatch(verdict):
        raise NotClean("virus_found", f"the virus scanner found {found[1]}")
    if "size limit exceeded" in verdict:
        raise NotClean("too_large_to_scan", "the file is larger than the virus scanner takes")
    raise ScannerUnavailable(verdict or "no answer")


def _connected(place: str) -> socket.socket:
    if place.startswith("/"):
        scanner = socket.socket(socket.AF_UNIX)
        scanner.settimeout(_CONNECT_S)
        try:
            scanner.connect(place)
        except OSError:
            scanner.close()
            raise
        return scanner
    host, _, port = place.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S)


def _send(scanner: socket.socket, piece: bytes, on_wait: Callable[[], object]) -> None:
    rest, ends_at = memoryview(piece), time.monotonic() + _SEND_S
    while rest:
        try:
            rest = rest[scanner.send(rest) :]
        except TimeoutError:
            if time.monotonic() > ends_at:
                raise
            on_wait()


def _pieces(path: Path) -> Iterator[bytes]:
    yield b"zINSTREAM\0"
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            yield struct.pack(">I", len(chunk)) + chunk
    yield struct.pack(">I", 0)


def _verdict(scanner: socket.socket, on_wait: Callable[[], object]) -> str:
    answer, ends_at = b"", time.monotonic() + _VERDICT_S
    while b"\0" not in answer and len(answer) < _ANSWER_BYTES:
        try:
            more = scanner.recv(_ANSWER_BYTES)
        except TimeoutError:
            if time.monotonic() > ends_at:
                raise
            on_wait()
            continue
        if not more:
            break
        answer += more
    verdict, is_whole, _ = answer.partition(b"\0")
    return verdict.decode(errors="replace").strip() if is_whole else ""
