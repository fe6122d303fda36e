"""What the owner of a job can do about a failure: by the parameters that its operation has.

Each piece of advice is a parameter and what to ask for by it; where an operation has no such
parameter nobody is told to use it.
"""

from __future__ import annotations

from collections.abc import Collection

Advice = tuple[tuple[str, str], ...]

LIGHTER: Advice = (
    ("resolution", "a smaller resolution"),
    ("width", "a smaller width"),
    ("preset", "a faster preset"),
    ("inputs", "fewer inputs"),
)
SMALLER: Advice = (
    ("resolution", "a smaller resolution"),
    ("video_bitrate", "a lower bit rate"),
    ("bitrate", "a lower bit rate"),
    ("duration", "a shorter part"),
    ("end", "an earlier end"),
    ("count", "fewer pictures"),
)
# Within the last frame, or between two that lie far apart, there is no picture.
PART: Advice = (
    ("start", "an earlier start"),
    ("end", "a later end"),
    ("duration", "a longer part"),
)
OTHER_CODEC: Advice = (
    ("video_codec", "another video codec"),
    ("audio_codec", "another audio codec"),
    ("output_format", "another output format"),
    ("format", "another format"),
)


def written(hint: str, advice: Advice, parameters: Collection[str]) -> str:
    """``hint``, and what of ``advice`` can be followed by an operation with ``parameters``."""
    *earlier, last = [asked for name, asked in advice if name in parameters] or [""]
    if not last:
        return hint
    listed = f"{', '.join(earlier)} or {last}" if earlier else last
    return f"{hint} Ask for {listed}.".strip()
