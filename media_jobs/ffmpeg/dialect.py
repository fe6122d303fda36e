"""The same arguments in the words of an older FFmpeg; elsewhere here they are those of today's."""

from __future__ import annotations

import re
from collections.abc import Sequence

_VERSION = re.compile(r"n?(\d{1,3})\.(\d{1,3})")

# "-enc_time_base demux" was "-1" before, and is the only one of the two since 8.0; see the
# changes of fftools/ffmpeg_mux_init.c in 6.1.
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
