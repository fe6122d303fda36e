"""A hand on what the site waits for: see ``withheld.c``."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from chaos.preloaded import compiled

_SOURCE = Path(__file__).with_name("withheld.c")


@dataclass(frozen=True)
class Withheld:
    path: Path
    library: Path

    @classmethod
    def made_in(cls, folder: Path) -> Withheld:
        """Compile it. Raises `CanNotPreload`."""
        own = cls(folder / "withheld", compiled(_SOURCE, folder))
        own.path.write_bytes(bytes(8))
        return own

    @property
    def settings(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "CHAOS_WITHHELD": str(self.path)}

    def swallow_commits(self, number: int) -> None:
        self._set(0, number)

    def slow_next_flush(self, seconds: int) -> None:
        self._set(4, seconds)

    @property
    def commits_left(self) -> int:
        return int(struct.unpack_from("=i", self.path.read_bytes())[0])

    def _set(self, place: int, value: int) -> None:
        with self.path.open("r+b") as shared:
            shared.seek(place)
            shared.write(struct.pack("=i", value))
