"""A hand on what the site waits for: see ``withheld.c``."""

from __future__ import annotations

import struct

from chaos.preloaded import Preloaded


class Withheld(Preloaded):
    name = "withheld"

    def swallow_commits(self, number: int) -> None:
        self._write(0, "=i", number)

    def slow_next_flush(self, seconds: int) -> None:
        self._write(4, "=i", seconds)

    @property
    def commits_left(self) -> int:
        return int(struct.unpack_from("=i", self.path.read_bytes())[0])
