"""The same arguments in the words of an older FFmpeg; elsewhere here they are those of today's."""

from __future__ import annotations

import re
from collections.abc import Sequence

_VERSION = re.compile(r"n?(\d{1,3})\.(\d{1,3})")

# "demux" came with 6.1 (fftools/ffmpeg_mux_init.c) in the place of "-1", which 9.0 takes no more.
_CLOCK_OF_SOURCE = ("-enc_time_base", "demux")
_CLOCK_OF_SOURCE_BEFORE = ("-enc_time_base", "-1")


def spelled(args: Sequence[str], version: str) -> tuple[str, ...]:
    """``args`` as the FFmpeg of this ``version`` reads them; unchanged for an unknown one."""
    found = _VERSION.match(version)
    if found is None or (int(found[1]), int(found[2])) >= (6, 1):
        return tuple(args)
    return tuple(
        _CLOCK_OF_SOURCE_BEFORE[1] if (before, word) == _CLOCK_OF_SOURCE else word
        for before, word in zip(("", *args), args, strict=False)
    )
