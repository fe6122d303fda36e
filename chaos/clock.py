"""A wall clock that can be set, for the site alone: see ``clock.c``."""

from __future__ import annotations

from chaos.preloaded import Preloaded


class Clock(Preloaded):
    name = "clock"

    def set_off_by(self, seconds: int) -> None:
        self._write(0, "=q", seconds)
