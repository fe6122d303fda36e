"""A wall clock that can be set, for the site alone: see ``clock.c``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chaos.preloaded import compiled

_SOURCE = Path(__file__).with_name("clock.c")


@dataclass(frozen=True)
class Clock:
    path: Path
    library: Path

    @classmethod
    def made_in(cls, folder: Path) -> Clock:
        """Compile it. Raises `CanNotPreload`."""
        clock = cls(folder / "clock", compiled(_SOURCE, folder))
        clock.set_off_by(0)
        return clock

    @property
    def settings(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "CHAOS_CLOCK": str(self.path)}

    def set_off_by(self, seconds: int) -> None:
        with self.path.open("r+b" if self.path.exists() else "wb") as shared:
            shared.write(seconds.to_bytes(8, "little", signed=True))
