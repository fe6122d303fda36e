"""A part of a source, from a start to an end."""

from __future__ import annotations

from dataclasses import dataclass

from media_jobs.operations.errors import InvalidParams
from media_jobs.operations.media import Source


@dataclass(frozen=True)
class Span:
    """``length_s`` is ``None`` where the source is used to its end."""

    start_s: float
    length_s: float | None
    planned_s: float | None
    warnings: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.start_s == 0 and self.length_s is None


def span(source: Source, start: float, end: float | None, end_field: str = "end") -> Span:
    """Raise where nothing would be left; an end behind the source's own is told."""
    whole_s = source.duration_s or None
    if whole_s is not None and start >= whole_s:
        raise InvalidParams("start", f"the source ends at {whole_s:g} s", "out_of_range")
    if end is not None and end <= start:
        raise InvalidParams(end_field, "must lie behind the start", "out_of_range")
    if end is None:
        return Span(start, None, None if whole_s is None else whole_s - start)
    if whole_s is None or end <= whole_s:
        return Span(start, end - start, end - start)
    # It is as long as asked even so: the length of some sources is no more than an estimate.
    late = f"the source ends at {whole_s:g} s, before the end asked for"
    return Span(start, end - start, whole_s - start, (late,) if end > whole_s + 0.1 else ())
