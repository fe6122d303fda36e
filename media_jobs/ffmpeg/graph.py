"""Filter graphs as values: chains of filters between labels.

See FFmpeg's manual, "Filtergraph syntax". A graph is the value of ``-filter_complex``; one without
a labelled input and with no result that is labelled is that of ``-vf`` or ``-af`` too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from media_jobs.ffmpeg.filters import Filter, write

_LABEL = re.compile(r"[a-z][a-z0-9_]{0,30}")
_STREAM = re.compile(r"[0-9]{1,4}:[0-9]{1,4}")


def stream(input_index: int, stream_index: int) -> str:
    """The label of a stream of the command's inputs."""
    return f"{input_index}:{stream_index}"


@dataclass(frozen=True)
class Chain:
    """Filters one behind the other; at least one, which may be ``null`` or ``anull``.

    ``inputs`` are the labels that the first one reads, ``outputs`` those that the last one gives.
    """

    filters: tuple[Filter, ...]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def write(self) -> str:
        return f"{_labels(self.inputs)}{write(self.filters)}{_labels(self.outputs)}"


@dataclass(frozen=True)
class Graph:
    """Raises ``ValueError`` where a label is given twice, read twice, or read but never given."""

    chains: tuple[Chain, ...]

    def __post_init__(self) -> None:
        given = [label for each in self.chains for label in each.outputs]
        read = [
            label for each in self.chains for label in each.inputs if not _STREAM.fullmatch(label)
        ]
        for label in (*given, *read):
            if not _LABEL.fullmatch(label):
                raise ValueError(f"{label!r} is no label")
            if given.count(label) != 1 or read.count(label) > 1:
                raise ValueError(f"[{label}] is to be given once, and read at most once")
        if not all(each.filters for each in self.chains):
            raise ValueError("a chain has no filter")

    @property
    def results(self) -> tuple[str, ...]:
        """The labels that no chain reads: each of them is to be mapped once."""
        read = {label for each in self.chains for label in each.inputs}
        return tuple(label for each in self.chains for label in each.outputs if label not in read)

    def write(self) -> str:
        return ";".join(each.write() for each in self.chains)


def _labels(labels: tuple[str, ...]) -> str:
    return "".join(f"[{label}]" for label in labels)
