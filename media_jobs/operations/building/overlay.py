"""A video or image shown on top of another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from media_jobs.ffmpeg.devices import Encoding
from media_jobs.ffmpeg.filters import Filter, Value
from media_jobs.ffmpeg.graph import Chain, Graph, stream
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.operations.core import Media

Anchor = Literal[
    "top-left", "top", "top-right", "left", "center", "right",
    "bottom-left", "bottom", "bottom-right",
]  # fmt: skip

# The label of what ``overlaid`` makes.
OVERLAID = "overlaid"


def anchored(
    anchor: Anchor, margin: int, outer: tuple[str, str], inner: tuple[str, str]
) -> tuple[Value, Value]:
    """Where the left and top edges go, in the words that a filter has for both widths and heights.

    ``margin`` is the distance in pixels from the edges that the anchor names.
    """
    column = 0 if "left" in anchor else 2 if "right" in anchor else 1
    row = 0 if "top" in anchor else 2 if "bottom" in anchor else 1
    across, down = (
        (margin, f"({whole}-{part})/2", f"{whole}-{part}-{margin}")
        for whole, part in zip(outer, inner, strict=True)
    )
    return across[column], down[row]


def overlay_place(anchor: Anchor, margin: int) -> tuple[Value, Value]:
    return anchored(anchor, margin, ("main_w", "main_h"), ("overlay_w", "overlay_h"))


def shown_between(start_s: float | None, end_s: float | None) -> dict[str, Value]:
    """The option by which a filter works for a time only; none where neither end is given."""
    if start_s is None and end_s is None:
        return {}
    until = "" if end_s is None else f"*lt(t,{end_s:.3f})"
    return {"enable": f"gte(t,{start_s or 0:.3f}){until}"}


@dataclass(frozen=True)
class Overlay:
    """What is shown, and where; ``filters`` bring it to its size and opacity before.

    ``input_index`` counts the command's inputs. Of an image, and of a video that ends earlier, the
    last frame stays until ``end_s``.
    """

    video: VideoStream
    input_index: int
    place: tuple[Value, Value] = (0, 0)
    filters: tuple[Filter, ...] = ()
    start_s: float | None = None
    end_s: float | None = None


def overlaid(
    m: Media,
    video: VideoStream,
    overlays: Sequence[Overlay],
    encoding: Encoding,
    filters: Sequence[Filter] = (),
) -> Graph:
    """The ``video`` of the first input through ``filters``, then each overlay on top of the last.

    The result is to be mapped by the label ``OVERLAID``. ``encoding`` is how it is encoded.
    """
    below, chains = stream(0, video.index), []
    for number, each in enumerate(overlays):
        is_last = number == len(overlays) - 1
        prepared = m.in_memory(filters, video) if number == 0 else ()
        if prepared:
            chains.append(Chain(prepared, (below,), ("base",)))
            below = "base"
        over = stream(each.input_index, each.video.index)
        if each.filters:
            chains.append(Chain(each.filters, (over,), (f"over{number}",)))
            over = f"over{number}"
        result = OVERLAID if is_last else f"with{number}"
        fed = m.placed((), encoding=encoding) if is_last else ()
        x, y = each.place
        shown = shown_between(each.start_s, each.end_s)
        # Its own choice would be 8 bit 4:2:0, whatever the frames have.
        overlay = Filter("overlay", cuda=None, x=x, y=y, format="auto", **shown)
        chains.append(Chain((overlay, *fed), (below, over), (result,)))
        below = result
    return Graph(tuple(chains))
