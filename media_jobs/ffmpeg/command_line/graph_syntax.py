"""How FFmpeg reads a filter graph and a filter's options, step by step, without judging them.

The rules are those of libavfilter/graphparser.c and of ``av_get_token`` and
``av_opt_get_key_value`` in libavutil; where FFmpeg is lenient (a quote that is never closed),
this is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BLANKS = " \n\t\r"
_KEY = re.compile(rf"[{BLANKS}]*([A-Za-z0-9_/.-]+)[{BLANKS}]*=")
_NAME = re.compile(r"[A-Za-z0-9_]{1,40}")
_LABEL = re.compile(r"[A-Za-z0-9_.:#-]{1,60}")


class NoGraph(ValueError):  # noqa: N818 -- what happened to a graph
    """The graph is none; the message says where and why."""


@dataclass(frozen=True)
class RawFilter:
    """A filter as it stands: ``arguments`` are still escaped once, for its option list."""

    name: str
    arguments: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass
class Reader:
    text: str
    place: int = 0

    @property
    def char(self) -> str:
        return self.text[self.place : self.place + 1]

    @property
    def is_done(self) -> bool:
        return self.place >= len(self.text)

    def skip_blanks(self) -> None:
        while self.char and self.char in BLANKS:
            self.place += 1

    def token(self, terminators: str) -> str:
        """One value up to a terminator, its backslashes and quotes resolved."""
        self.skip_blanks()
        out, kept = "", 0
        while not self.is_done and self.char not in terminators:
            char = self.char
            self.place += 1
            if char == "\\" and not self.is_done:
                out += self.char
                self.place += 1
                kept = len(out)
            elif char == "'":
                out += self._quoted()
                kept = len(out)
            else:
                out += char
        return out[:kept] + out[kept:].rstrip(BLANKS)

    def _quoted(self) -> str:
        end = self.text.find("'", self.place)
        if end < 0:
            raise NoGraph("a ' is not closed")
        inside = self.text[self.place : end]
        self.place = end + 1
        return inside


def read_graph(text: str) -> list[list[RawFilter]]:
    """The chains of a graph, between semicolons."""
    reader = Reader(text)
    chains: list[list[RawFilter]] = [[]]
    while True:
        chains[-1].append(_filter(reader))
        reader.skip_blanks()
        mark = reader.char
        reader.place += 1
        if mark == "":
            return chains
        if mark == ";":
            reader.skip_blanks()
            if reader.is_done:  # FFmpeg takes a last semicolon too, from version 6 on
                return chains
            chains.append([])
        elif mark != ",":
            raise NoGraph(f"{mark!r} stands where a comma or the end belongs")


def _filter(reader: Reader) -> RawFilter:
    reader.skip_blanks()
    inputs = _labels(reader)
    name = reader.token("=,;[")
    if not _NAME.fullmatch(name.partition("@")[0]):
        raise NoGraph(f"a filter's name is missing at character {reader.place + 1}")
    arguments = ""
    if reader.char == "=":
        reader.place += 1
        arguments = reader.token("[],;")
    reader.skip_blanks()
    return RawFilter(name.partition("@")[0], arguments, inputs, _labels(reader))


def _labels(reader: Reader) -> tuple[str, ...]:
    found = []
    while reader.char == "[":
        end = reader.text.find("]", reader.place)
        label = reader.text[reader.place + 1 : end] if end > 0 else ""
        if not _LABEL.fullmatch(label):
            raise NoGraph(f"a label such as [v1] is wanted at character {reader.place + 1}")
        found.append(label)
        reader.place = end + 1
        reader.skip_blanks()
    return tuple(found)


def read_arguments(text: str) -> list[tuple[str | None, str]]:
    """Pairs of key and value; no key where the value is given by its place in the list."""
    reader = Reader(text)
    found: list[tuple[str | None, str]] = []
    while not reader.is_done:
        key = _KEY.match(reader.text, reader.place)
        if key:
            reader.place = key.end()
        found.append((key.group(1) if key else None, reader.token(":")))
        reader.place += 1
    return found
