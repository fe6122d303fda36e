"""A filter graph whose filters and options are all known, and how it is written for FFmpeg."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from media_jobs.ffmpeg.command_line import filter_table, graph_syntax
from media_jobs.ffmpeg.command_line.filter_table import FilterKind, Slot
from media_jobs.ffmpeg.command_line.graph_syntax import NoGraph, RawFilter
from media_jobs.ffmpeg.command_line.refusal import shown
from media_jobs.ffmpeg.command_line.tokens import Aliases
from media_jobs.ffmpeg.command_line.values import KINDS, seconds
from media_jobs.ffmpeg.filters import escape

_ENDS = {"duration", "whole_dur", "pad_dur", "pad_len", "whole_len"}
_LEAST_S = 0.000_001
_USUAL_RATE = 44_100
_LONGEST_RATE = 9


@dataclass(frozen=True)
class AliasedFile:
    """A file that a filter reads, by the alias of the input that it is."""

    alias: str


@dataclass(frozen=True)
class KnownFilter:
    kind: FilterKind
    options: tuple[tuple[str, str | AliasedFile], ...]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def is_endless(self) -> bool:
        """Whether it may go on for ever by itself, for all that its options say."""
        said = {
            self.kind.usual_name(key): value
            for key, value in self.options
            if isinstance(value, str)
        }
        if self.kind.repeats:
            return any(not said.get(key, "0").isdigit() for key in ("loop", "stop"))
        least_s = _LEAST_S
        if self.kind.has("sample_rate"):
            # As long as a sample is, or can be where the rate is no plain number.
            rate = said.get("sample_rate", str(_USUAL_RATE))
            is_plain = rate.isascii() and rate.isdigit() and len(rate) <= _LONGEST_RATE
            least_s = 1 / max(int(rate), 1) if is_plain else 1.0
        lengths = [said[key].removesuffix("s") for key in _ENDS & said.keys()]
        # What is no length, as a negative one, or less than the filter counts, is no end: to some
        # filters it means without end.
        return self.kind.goes_on and not any(
            length[:1].isdigit() and KINDS["time"].holds(length) and seconds(length) >= least_s
            for length in lengths
        )

    def write(self, paths: Mapping[str, str]) -> str:
        """``paths`` are the files behind the aliases."""
        listed = ":".join(
            f"{key}={escape(paths[value.alias] if isinstance(value, AliasedFile) else value)}"
            for key, value in self.options
        )
        written = f"{self.kind.name}={listed}" if listed else self.kind.name
        before, after = (
            "".join(f"[{label}]" for label in labels) for labels in (self.inputs, self.outputs)
        )
        return f"{before}{written}{after}"


@dataclass(frozen=True)
class Graph:
    chains: tuple[tuple[KnownFilter, ...], ...]

    def __iter__(self) -> Iterator[KnownFilter]:
        return (each for chain in self.chains for each in chain)

    def write(self, paths: Mapping[str, str]) -> str:
        return ";".join(",".join(each.write(paths) for each in chain) for chain in self.chains)

    def files(self) -> Iterator[tuple[str, AliasedFile]]:
        """Each file that is read, with the name of the filter that reads it."""
        for each in self:
            for _, value in each.options:
                if isinstance(value, AliasedFile):
                    yield each.kind.name, value


def read(text: str, aliases: Aliases) -> Graph:
    """Raises ``NoGraph`` for what is no graph, or holds what is not allowed."""
    chains = graph_syntax.read_graph(text)
    return Graph(tuple(tuple(_known(raw, aliases) for raw in chain) for chain in chains))


def _known(raw: RawFilter, aliases: Aliases) -> KnownFilter:
    kind = filter_table.find(raw.name)
    if kind is None:
        advice = filter_table.advice(raw.name)
        raise NoGraph(f"the filter {raw.name} is not allowed; {advice}")
    options = []
    places = iter(kind.slots)
    for key, value in graph_syntax.read_arguments(raw.arguments):
        if key is None:
            slot = next(places, None)
            if slot is None:
                raise NoGraph(
                    f"{kind.name} has no option at the place of {shown(value)!r}; write key=value"
                )
            options.append((slot.name, _value(kind, slot, value, aliases)))
        else:
            places = iter(())
            slot = kind.slot(key)
            if slot is None:
                known = ", ".join(each.name for each in kind.slots if each.kind != "barred")
                raise NoGraph(f"{kind.name} has no option {shown(key)} here; there are: {known}")
            options.append((key, _value(kind, slot, value, aliases)))
    return KnownFilter(kind, tuple(options), raw.inputs, raw.outputs)


def _value(kind: FilterKind, slot: Slot, value: str, aliases: Aliases) -> str | AliasedFile:
    if slot.kind == "barred":
        raise NoGraph(
            f"{slot.name} of {kind.name} may name a file, which is not allowed; leave it out"
        )
    if slot.kind == "file":
        alias = aliases.read(value)
        if alias not in aliases.inputs:
            raise NoGraph(
                f"{kind.name} reads {shown(value)!r}; name an input by its alias: "
                f"{slot.name}={{{{alias}}}}"
            )
        return AliasedFile(alias)
    if not slot.holds(value):
        raise NoGraph(f"{shown(value)!r} is no value for {slot.name} of {kind.name}")
    return value
