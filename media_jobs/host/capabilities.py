from __future__ import annotations

from functools import lru_cache

from media_jobs import sandbox
from media_jobs.ffmpeg import capabilities as texts
from media_jobs.ffmpeg.capabilities import Capabilities
from media_jobs.host import scratch

_LIMITS = sandbox.Limits(wall_s=20)
_FONT_LINE = r"%{family[0]}\t%{style[0]}\t%{file}\n"


def capabilities() -> Capabilities:
    """What the FFmpeg of this machine can do, asked once a process and of each FFmpeg anew."""
    return _asked(sandbox.identity("ffmpeg"))


@lru_cache(maxsize=1)
def _asked(_: tuple[int, ...]) -> Capabilities:
    return Capabilities(
        version=texts.read_version(_ask("ffmpeg", "-version")),
        encoders=texts.read_encoders(_ask("ffmpeg", "-hide_banner", "-encoders")),
        filters=texts.read_filters(_ask("ffmpeg", "-hide_banner", "-filters")),
        muxers=texts.read_muxers(_ask("ffmpeg", "-hide_banner", "-muxers")),
        fonts=texts.read_fonts(_ask("fc-list", "--format", _FONT_LINE)),
    )


def _ask(program: sandbox.Program, *question: str) -> str:
    with scratch.passing("ask") as folder:
        done = sandbox.run(program, question, folder=folder, limits=_LIMITS)
    return done.stdout.decode(errors="replace")
