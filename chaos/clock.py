"""A wall clock that can be set, for the site alone: see ``clock.c``."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SOURCE = Path(__file__).with_name("clock.c")


class NoClock(Exception):  # noqa: N818 -- a state, not a mistake
    """Here the clock can't be set; the message says why"""


@dataclass(frozen=True)
class Clock:
    path: Path
    library: Path

    @classmethod
    def made_in(cls, folder: Path) -> Clock:
        """Compile it. Raises `NoClock`."""
        compiler = shutil.which("cc")
        if compiler is None:
            raise NoClock("there is no C compiler (cc)")
        library = folder / "clock.so"
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl"]
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        if made.returncode:
            raise NoClock(f"the clock can't be compiled: {made.stderr[-200:]}")
        clock = cls(folder / "clock", library)
        clock.set_off_by(0)
        return clock

    @property
    def settings(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "CHAOS_CLOCK": str(self.path)}

    def set_off_by(self, seconds: int) -> None:
        with self.path.open("r+b" if self.path.exists() else "wb") as shared:
            shared.write(seconds.to_bytes(8, "little", signed=True))
