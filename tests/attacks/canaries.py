"""What must not be touched: files under inotify, and listeners of every kind."""

from __future__ import annotations

import ctypes
import os
import secrets
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.harness.media import FFMPEG, X264, coloured, tone

_IN_ACCESS, _IN_MODIFY, _IN_ATTRIB, _IN_OPEN = 0x1, 0x2, 0x4, 0x20
_IN_MOVED, _IN_CREATE, _IN_DELETE = 0xC0, 0x100, 0x600
_ANY = _IN_ACCESS | _IN_MODIFY | _IN_ATTRIB | _IN_OPEN | _IN_MOVED | _IN_CREATE | _IN_DELETE
_NAMES = {
    _IN_ACCESS: "read",
    _IN_MODIFY: "written",
    _IN_ATTRIB: "changed",
    _IN_OPEN: "opened",
    _IN_CREATE: "made",
}
_EVENT = struct.Struct("iIII")
_libc = ctypes.CDLL(None, use_errno=True)


class Watch:
    """Tells of everything that anybody does to some files and folders, even of an ``open``."""

    def __init__(self) -> None:
        self._inotify: int = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self._inotify >= 0
        self._paths: dict[int, Path] = {}

    def add(self, *paths: Path) -> None:
        for path in paths:
            watched = _libc.inotify_add_watch(self._inotify, os.fsencode(path), _ANY)
            assert watched >= 0, os.strerror(ctypes.get_errno())
            self._paths[watched] = path

    def seen(self) -> list[str]:
        """What happened since the last call: "opened …/private.ts"."""
        try:
            events = os.read(self._inotify, 1 << 20)
        except BlockingIOError:
            return []
        return list(dict.fromkeys(self._told(events)))

    def _told(self, events: bytes) -> Iterator[str]:
        at = 0
        while at < len(events):
            watched, mask, _, length = _EVENT.unpack_from(events, at)
            name = events[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0").decode()
            at += _EVENT.size + length
            what = next((told for bit, told in _NAMES.items() if mask & bit), hex(mask))
            yield f"{what} {self._paths[watched] / name}"

    def close(self) -> None:
        os.close(self._inotify)


class Listeners:
    """TCP (IPv4 and IPv6), UDP, a path and an abstract name; remembers whoever comes."""

    def __init__(self, folder: Path) -> None:
        self.came: list[str] = []
        self.abstract = f"ffapi-canary-{secrets.token_hex(4)}"
        self.path = folder / "socket"
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._streams = {
            "tcp": self._tcp,
            "tcp6": socket.create_server(("::1", self.port), family=socket.AF_INET6),
            "unix": _unix(str(self.path)),
            "abstract": _unix(f"\0{self.abstract}"),
        }
        self.path.chmod(0o777)
        self._threads = [
            threading.Thread(target=self._accept, args=each) for each in self._streams.items()
        ]
        self._threads.append(threading.Thread(target=self._receive))

    def seen(self) -> list[str]:
        """Who came since the last call: "tcp: GET /x.ts HTTP/1.1"."""
        told, self.came[:] = list(self.came), []
        return told

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for listening in self._streams.values():
            listening.shutdown(socket.SHUT_RDWR)
        self._udp.sendto(b"", self._udp.getsockname())
        for thread in self._threads:
            thread.join()
        for opened in (*self._streams.values(), self._udp):
            opened.close()

    def _accept(self, kind: str, listening: socket.socket) -> None:
        while True:
            try:
                visitor, _ = listening.accept()
            except OSError:
                return
            with visitor:
                place = len(self.came)
                self.came.append(kind)
                visitor.settimeout(0.2)
                try:
                    said = visitor.recv(200)
                except OSError:
                    continue
                self.came[place : place + 1] = [f"{kind}: {said[:80]!r}"]

    def _receive(self) -> None:
        while said := self._udp.recv(65536):
            self.came.append(f"udp: {said[:80]!r}")


def _unix(name: str) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(name)
    listening.listen()
    return listening


def private_film(to: Path, word: str) -> None:
    """A film that says ``word`` in its title."""
    made = (*coloured("magenta", "64x64"), *tone(700, 2), *X264, "-c:a", "aac", "-shortest")
    subprocess.run([*FFMPEG, *made, "-metadata", f"title={word}", to], check=True)


@dataclass(frozen=True)
class Canaries:
    """Private things of every kind in ``folder``. Only the sandbox keeps them: all may read."""

    folder: Path
    word: str
    watch: Watch
    listeners: Listeners

    @classmethod
    def placed(cls, folder: Path) -> Canaries:
        folder.mkdir(parents=True)
        folder.chmod(0o777)
        word = f"canary{secrets.token_hex(8)}"
        for name in ("private.mp4", "private.ts"):
            private_film(folder / name, word)
        entries = "\n".join(f"{r} {g} {b}" for b in (0, 1) for g in (0, 1) for r in (0, 1))
        texts = {
            "private.txt": f"{word}\n",
            "private.srt": f"1\n00:00:00,000 --> 00:00:09,000\n{word}\n",
            "private.cube": f'TITLE "{word}"\nLUT_3D_SIZE 2\n{entries}\n',
            "private.key": word[:16],
            "graph.txt": "[0:v]negate",
            "commands.txt": "0.0 drawtext reinit 'text=x';",
        }
        for name, text in texts.items():
            (folder / name).write_text(text)
        canaries = cls(folder, word, Watch(), Listeners(folder))
        canaries.watch.add(folder, *folder.iterdir())
        return canaries

    def at(self, name: str) -> Path:
        return self.folder / name

    def seen(self) -> list[str]:
        """All that happened to any of them since the last call."""
        return [*self.watch.seen(), *self.listeners.seen()]
