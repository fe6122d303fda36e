"""What a command needs of an FFmpeg, read from its own arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from media_jobs.ffmpeg.capabilities import Capabilities
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.command_line.graph_syntax import NoGraph, read_graph
from media_jobs.ffmpeg.command_line.options import FLAGS, SYNONYMS

_NO_ENCODER = "copy"
_NO_MUXER = "null"


@dataclass(frozen=True)
class Needs:
    encoders: frozenset[str] = frozenset()
    filters: frozenset[str] = frozenset()
    muxers: frozenset[str] = frozenset()

    def lacking(self, found: Capabilities) -> list[str]:
        """What of it an FFmpeg has not, each as people read it."""
        kinds = (
            ("encoder", self.encoders - found.encoders),
            ("filter", self.filters - found.filters),
            ("muxer", self.muxers - found.muxers),
        )
        return [f"{kind} {name}" for kind, names in kinds for name in sorted(names)]


def of(command: Command) -> Needs:
    """Decoders and demuxers are left out: each FFmpeg that is meant here reads the same files.

    A muxer is known where it is named; the endings of files lead to muxers that all have.
    """
    encoders, filters, muxers = set[str](), set[str](), set[str]()
    options = _options(command.args) if command.program == "ffmpeg" else ()
    for option, value, is_of_output in options:
        name = option.partition(":")[0]
        name = SYNONYMS.get(name, name).partition(":")[0]
        if name in {"filter", "filter_complex"}:
            with suppress(NoGraph):  # FFmpeg says best what is wrong with it
                filters |= {each.name for chain in read_graph(value) for each in chain}
        elif name == "c" and is_of_output:
            encoders.add(value)
        elif name == "f" and is_of_output:
            muxers.add(value)
    return Needs(
        frozenset(encoders - {_NO_ENCODER}), frozenset(filters), frozenset(muxers - {_NO_MUXER})
    )


def _options(args: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
    """Each option with its value, and whether it stands behind the last input."""
    left, found = iter(args), list[tuple[str, str]]()
    for word in left:
        if word.startswith("-") and len(word) > 1:
            takes_none = word[1:].partition(":")[0] in FLAGS
            found.append((word[1:], "" if takes_none else next(left, "")))
    last_input = max((place for place, (name, _) in enumerate(found) if name == "i"), default=-1)
    for place, (name, value) in enumerate(found):
        yield name, value, place > last_input
