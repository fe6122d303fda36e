"""A connection to PostgreSQL that breaks when it is told to: between a COMMIT and its answer."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from django.db import connection

COMMIT: Final = b"COMMIT\0"
_SOCKET: Final = ".s.PGSQL.5432"


@dataclass
class Proxy:
    """Forwards everything but the answer to the message in which ``word`` comes for the last time.

    ``count`` tells how often it is to come: the answer to the last of them is swallowed, once the
    server has done what it was asked for, and the connection is cut.
    """

    word: bytes = COMMIT
    count: int = 0
    has_cut: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:  # the test is over
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _is_the_one(self, sent: bytes) -> bool:
        with self._lock:
            if self.count == 0 or self.word not in sent:
                return False
            self.count -= 1
            self.has_cut = self.count == 0
            return self.has_cut

    def _carry(self, client: socket.socket) -> None:
        with client, _connected() as server, selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            is_last = False
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(1 << 20)  # type: ignore[union-attr]
                    if not data or (is_last and key.fileobj is server):
                        return
                    is_last |= key.fileobj is client and self._is_the_one(data)
                    key.data.sendall(data)


_place: tuple[str, int] = ("", 0)


def _connected() -> socket.socket:
    host, port = _place
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server


@contextmanager
def between() -> Iterator[Proxy]:
    """Have this process talk with its database through a proxy."""
    global _place  # noqa: PLW0603 -- one database for one process
    known = connection.get_connection_params()
    _place = (known["host"], int(known.get("port") or 5432))
    kept, proxy = dict(connection.settings_dict), Proxy()
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(Path(folder) / _SOCKET))
        listening.listen()
        threading.Thread(target=proxy.serve, args=(listening,), daemon=True).start()
        connection.close()
        connection.settings_dict.update({"FOLDER": "", "HOST": folder, "PORT": "5432"})
        try:
            yield proxy
        finally:
            connection.close()
            connection.settings_dict.clear()
            connection.settings_dict.update(kept)
            listening.shutdown(socket.SHUT_RDWR)
