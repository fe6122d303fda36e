"""Libraries that are loaded into the site's processes before all others."""

from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self


class CanNotPreload(Exception):  # noqa: N818 -- a state, not a mistake
    """Here there can be no such library; the message says why"""


@dataclass(frozen=True)
class Preloaded:
    """A library, and the file in which it reads at any time what it is to do."""

    name: ClassVar[str]
    """That of the source beside this file; the library finds its file by ``CHAOS_`` and it."""

    path: Path
    library: Path

    @classmethod
    def made_in(cls, folder: Path) -> Self:
        """Compile it; at first it does nothing. Raises `CanNotPreload`."""
        source = Path(__file__).with_name(f"{cls.name}.c")
        made = cls(folder / cls.name, _compiled(source, folder))
        made.path.write_bytes(bytes(8))
        return made

    @property
    def settings(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), f"CHAOS_{self.name.upper()}": str(self.path)}

    def _write(self, place: int, kind: str, value: int) -> None:
        with self.path.open("r+b") as shared:
            shared.seek(place)
            shared.write(struct.pack(kind, value))


def _compiled(source: Path, folder: Path) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        raise CanNotPreload("there is no C compiler (cc)")
    library = folder / source.with_suffix(".so").name
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"]
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    if made.returncode:
        raise CanNotPreload(f"{source.name} can't be compiled: {made.stderr[-200:]}")
    return library
