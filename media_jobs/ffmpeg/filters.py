"""Filters as values, one way to write them down and one way to escape.

See FFmpeg's manual, "Notes on filtergraph escaping": a value is escaped once for the filter's own
option list and once more for the graph around it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Value = str | int | float | bool

_OPTION_SPECIALS = "\\':"
_GRAPH_SPECIALS = "\\'[],;"


@dataclass(frozen=True)
class Surface:
    """Where decoded frames lie, and the format in which they come down to main memory."""

    is_gpu: bool = False
    download_format: str = "nv12"


@dataclass(frozen=True)
class Feed:
    """How an encoder wants its frames: ``filters`` bring it those that lie in main memory."""

    takes_gpu_frames: bool = False
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, init=False)
class Filter:
    """A filter with its options, for video or audio.

    ``values`` are options by their place, as in ``format=nv12``. ``cuda`` is the name of the same
    filter for frames in GPU memory, where there is one.
    """

    name: str
    options: tuple[tuple[str, Value], ...]
    cuda: str | None

    def __init__(
        self, name: str, *values: Value, cuda: str | None = None, **options: Value
    ) -> None:
        # Options whose names are Python's words are written with a trailing underscore.
        named = tuple((key.rstrip("_"), value) for key, value in options.items())
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "options", (*(("", value) for value in values), *named))
        object.__setattr__(self, "cuda", cuda)

    def on_cuda(self) -> Filter:
        """The same for frames in GPU memory."""
        same = Filter(self.cuda or self.name)
        object.__setattr__(same, "options", self.options)
        return same

    def write(self) -> str:
        listed = ":".join(
            f"{key}={escape(text(value))}" if key else escape(text(value))
            for key, value in self.options
        )
        return f"{self.name}={listed}" if listed else self.name


def text(value: Value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def escape(value: str) -> str:
    """Make any text one literal option value inside a filter graph."""
    return _quote(_quote(value, _OPTION_SPECIALS), _GRAPH_SPECIALS)


def _quote(value: str, specials: str) -> str:
    """Put a backslash before each special, and before blanks at either end (they are trimmed)."""
    inner = range(len(value) - len(value.lstrip()), len(value.rstrip()))
    return "".join(
        f"\\{char}" if char in specials or place not in inner else char
        for place, char in enumerate(value)
    )


def in_seconds(time_s: float) -> str:
    """A time as an option's value: FFmpeg counts whole microseconds."""
    return f"{time_s:.6f}"


def placed(
    filters: Iterable[Filter], surface: Surface, feed: Feed | None = None
) -> tuple[Filter, ...]:
    """Bring frames down from the GPU once, where the first software filter needs it.

    After that they stay in main memory, until ``feed`` says how the encoder wants them.
    """
    found: list[Filter] = []
    on_gpu = surface.is_gpu
    for each in filters:
        if on_gpu and each.cuda is None:
            found += downloaded(surface)
            on_gpu = False
        found.append(each.on_cuda() if on_gpu else each)
    if feed is None or (on_gpu and feed.takes_gpu_frames):
        return tuple(found)
    return (*found, *(downloaded(surface) if on_gpu else ()), *feed.filters)


def downloaded(surface: Surface) -> tuple[Filter, ...]:
    return Filter("hwdownload"), Filter("format", surface.download_format)


def chain(filters: Iterable[Filter], surface: Surface, feed: Feed | None = None) -> str:
    return write(placed(filters, surface, feed))


def write(filters: Iterable[Filter]) -> str:
    """One chain, each filter behind the other."""
    return ",".join(each.write() for each in filters)
