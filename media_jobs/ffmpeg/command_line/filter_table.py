"""Which filters a command may use and which options they have, in the order of their places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from media_jobs.ffmpeg.command_line import audio_filters, source_filters, video_filters

SlotKind = Literal["plain", "text", "font", "file", "barred"]

# Numbers, times, sizes, colours, flags and small sums of numbers: what FFmpeg reads as such.
_PLAIN = re.compile(r"[\w +\-*/.,#@|:()]{0,300}", re.ASCII)
# Expressions, lists and texts that FFmpeg reads as such: the options were looked at one by one.
_TEXT = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f]{0,5000}")
# Of a pattern of fontconfig, the family and the face; it could ask for files too.
_FACE = r"regular|medium|light|bold|italic|oblique|(style|weight|slant|width)=[\w ]{1,30}"
_FONT = re.compile(rf"[^\x00-\x1f\x7f:=/\\]{{1,100}}(:({_FACE})){{0,4}}")
_FRAMESYNC = {"eof_action", "shortest", "repeatlast", "ts_sync_mode"}
_HOLDS = {"plain": _PLAIN, "text": _TEXT, "font": _FONT}


@dataclass(frozen=True)
class Slot:
    """An option under all its names. ``barred``: it names a file, or gives orders."""

    names: tuple[str, ...]
    kind: SlotKind

    @property
    def name(self) -> str:
        return self.names[0]

    def holds(self, value: str) -> bool:
        return _HOLDS[self.kind].fullmatch(value) is not None


@dataclass(frozen=True)
class FilterKind:
    """``goes_on`` without end, unless an option says how long; ``repeats`` as often as it says."""

    name: str
    slots: tuple[Slot, ...]
    has_timeline: bool = False
    has_framesync: bool = False
    goes_on: bool = False
    repeats: bool = False

    def slot(self, option: str) -> Slot | None:
        """By any name of an option that is written out, those that many filters have as well."""
        if option == "enable" and self.has_timeline:
            return Slot((option,), "text")
        if option in _FRAMESYNC and self.has_framesync:
            return Slot((option,), "plain")
        return next((each for each in self.slots if option in each.names), None)

    def has(self, option: str) -> bool:
        return any(each.name == option for each in self.slots)

    def usual_name(self, option: str) -> str:
        """The one that an option has of its names: whatever it was called, the last value holds."""
        return next((each.name for each in self.slots if option in each.names), option)


_KINDS: dict[str, SlotKind] = {"*": "text", "^": "font", "!": "barred", "@": "file"}


def _read(table: str) -> Iterator[FilterKind]:
    """Read lines as ``video_filters`` explains them."""
    for line in re.sub(r"\n\s+", " ", table).strip().splitlines():
        head, _, options = line.partition(":")
        name, _, letters = head.partition(" ")
        slots = (
            Slot(tuple(word.rstrip("".join(_KINDS)).split("/")), _KINDS.get(word[-1], "plain"))
            for word in options.split()
        )
        yield FilterKind(
            name,
            tuple(slots),
            has_timeline="T" in letters,
            has_framesync="F" in letters,
            goes_on="E" in letters,
            repeats="R" in letters,
        )


FILTERS: dict[str, FilterKind] = {
    each.name: each
    for table in (video_filters.TABLE, audio_filters.TABLE, source_filters.TABLE)
    for each in _read(table)
}

_INPUT = "give the file as an input of its own and name its stream: [1:v]"
_FILE = "it reads or writes a file"
_ORDERS = "it gives orders to other filters"
_LIBRARY = "it loads foreign code"
_DEVICE = "it needs a device, which the service chooses"
ADVICE: dict[str, str] = {
    "movie": _INPUT,
    "amovie": _INPUT,
    "ass": "use subtitles=filename={{alias}}",
    "lut1d": _FILE,
    "lut3d": _FILE,
    "removelogo": f"{_FILE}; delogo needs none",
    "sendcmd": _ORDERS,
    "asendcmd": _ORDERS,
    "zmq": _ORDERS,
    "azmq": _ORDERS,
    "frei0r": _LIBRARY,
    "frei0r_src": _LIBRARY,
    "ladspa": _LIBRARY,
    "lv2": _LIBRARY,
    "hwupload": _DEVICE,
    "hwdownload": _DEVICE,
    "scale_cuda": f"{_DEVICE}; use scale",
    "overlay_cuda": f"{_DEVICE}; use overlay",
    "vidstabdetect": _FILE,
    "vidstabtransform": _FILE,
    "realtime": "files are read as fast as they can be",
    "arealtime": "files are read as fast as they can be",
    "sws_flags": "write them in the filter: scale=…:flags=lanczos",
    "libvmaf": "quality is measured by an operation of its own",
}


def advice(name: str) -> str:
    """What may be used instead of a filter that is not allowed."""
    near = ", ".join(get_close_matches(name, FILTERS))
    return ADVICE.get(name) or (
        f"did you mean {near}?" if near else "the manual lists those that are"
    )


def find(name: str) -> FilterKind | None:
    return FILTERS.get(name)
