"""A web server of the attacker's that keeps no rule of HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

from tests.lib.hostile_server import Answer, HostileServer, Silence


class HostileOrigin(HostileServer):
    """Answers by path, many at a time, with whatever bytes it was given for it."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        super().__init__(self._by_path)
        self._conversations: list[threading.Thread] = []

    def serve(self, path: str, answer: Answer) -> str:
        self.answers[path] = answer
        return f"{self.url}{path}"

    def _by_path(self, request: bytes) -> Iterator[bytes | Silence]:
        path = request.split(b" ", 2)[1].decode("latin-1")
        yield from self.answers[path](request)

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                break
            thread = threading.Thread(target=self._hold, args=(accepted,))
            self._conversations.append(thread)
            thread.start()
        for thread in self._conversations:
            thread.join()

    def _hold(self, accepted: socket.socket) -> None:
        with accepted:
            self._converse(accepted)
