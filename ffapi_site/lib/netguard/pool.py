"""Connections that are kept for the next request to the same server."""

from __future__ import annotations

import os
from threading import Lock
from typing import Final

from ffapi_site.lib.netguard.connection import Line
from ffapi_site.lib.netguard.urls import Target

_KEPT: Final = 16


class Pool:
    """Idle lines. One is used again only if it leads to an address that was checked just now."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._lock = Lock()

    def clear(self) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            line.close()

    def after_fork(self) -> None:
        """Leave the lines to the process that made them; its lock may have been held."""
        self._lock = Lock()
        self.clear()

    def take(self, target: Target, addresses: list[str]) -> Line | None:
        with self._lock:
            self._drop_expired()
            found = next((line for line in self._lines if line.leads_to(target, addresses)), None)
            if found is not None:
                self._lines.remove(found)
            return found

    def give_back(self, line: Line) -> None:
        """Keep an idle line; close any other."""
        if not line.is_idle:
            line.close()
            return
        with self._lock:
            self._drop_expired()
            if len(self._lines) == _KEPT:
                self._lines.pop(0).close()
            self._lines.append(line)

    def _drop_expired(self) -> None:
        for line in [line for line in self._lines if not line.is_idle]:
            self._lines.remove(line)
            line.close()


idle = Pool()
os.register_at_fork(after_in_child=idle.after_fork)
