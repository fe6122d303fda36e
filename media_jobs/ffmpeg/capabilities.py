"""What an installed FFmpeg can do, read from its own lists."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

_ENCODER = re.compile(r"^ [VAS][A-Z.]{5} (?!=)(\S+)\s", re.MULTILINE)
# Of the marks before a name the last one came or went with FFmpeg 8.
_FILTER = re.compile(r"^ [T.][S.][C.]? (\S+)\s+\S+->\S+", re.MULTILINE)
_MUXER = re.compile(r"^ [D ]E[d ]? (\S+)\s", re.MULTILINE)
_VERSION = re.compile(r"^ff\w+ version (\S+)", re.MULTILINE)

SHIPPED_FONT = "Liberation Sans"
"""The family that comes along."""


@dataclass(frozen=True)
class Font:
    family: str
    path: str


@dataclass(frozen=True)
class Capabilities:
    """An empty set of encoders means that nobody has asked yet, not that there are none."""

    version: str = ""
    encoders: AbstractSet[str] = frozenset()
    filters: AbstractSet[str] = frozenset()
    muxers: AbstractSet[str] = frozenset()
    fonts: tuple[Font, ...] = ()

    def font_path(self, family: str) -> str | None:
        wanted = family.casefold()
        return next((font.path for font in self.fonts if font.family.casefold() == wanted), None)

    def lacks_encoder(self, name: str) -> bool:
        return name not in self.encoders and bool(self.encoders)

    def lacks_filter(self, name: str) -> bool:
        return name not in self.filters and bool(self.filters)

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "encoders": sorted(self.encoders),
            "filters": sorted(self.filters),
            "muxers": sorted(self.muxers),
            "fonts": [[font.family, font.path] for font in self.fonts],
        }


def read_version(text: str) -> str:
    found = _VERSION.search(text)
    return found.group(1) if found else ""


def read_encoders(text: str) -> frozenset[str]:
    """Read ``ffmpeg -hide_banner -encoders``."""
    return frozenset(_ENCODER.findall(text))


def read_filters(text: str) -> frozenset[str]:
    """Read ``ffmpeg -hide_banner -filters``."""
    return frozenset(_FILTER.findall(text))


def read_muxers(text: str) -> frozenset[str]:
    """Read ``ffmpeg -hide_banner -muxers``."""
    return frozenset(name for names in _MUXER.findall(text) for name in names.split(","))


def read_fonts(text: str) -> tuple[Font, ...]:
    r"""Read ``fc-list --format '%{family[0]}\t%{style[0]}\t%{file}\n'``: one face per family.

    The upright face stands for its family; an italic or bold one only where there is no other.
    """
    faces = [line.split("\t") for line in text.splitlines() if line.count("\t") == 2]
    usual = {"Regular": 0, "Book": 0, "Roman": 0, "Medium": 1}
    best: dict[str, str] = {}
    for family, _, path in sorted(faces, key=lambda face: (usual.get(face[1], 2), face)):
        best.setdefault(family, path)
    return tuple(Font(family, path) for family, path in sorted(best.items()))
