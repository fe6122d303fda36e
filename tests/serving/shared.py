from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Self

import httpx

from tests.harness.server import Server, eventually

OPS_TOKEN = "for the operators"
_SETTINGS = {"OPS_TOKEN": OPS_TOKEN, "WEB_PROCESSES": "2"}


class Shared:
    """A running site, started anew where a test has ended it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told = ""
        """What it said at its start, which is read no second time."""
        self._server: Server | None = None
        self._last = ExitStack()

    def running(self) -> Server:
        if self._server is None or self._server.process.poll() is not None:
            self._last.close()
            self._server = self._last.enter_context(Server.start(self.folder, settings=_SETTINGS))
            self.told = self._server.await_start()
        server = self._server
        assert eventually(lambda: is_ready(server), within_s=60)
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._last.close()


def is_ready(server: Server) -> bool:
    try:
        return httpx.get(f"{server.url}/health/ready").is_success
    except httpx.HTTPError:
        return False
