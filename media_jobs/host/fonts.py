"""The fonts that text filters may use: the machine's own, and the one that comes along."""

from __future__ import annotations

import os
import shutil
from functools import lru_cache
from pathlib import Path

from media_jobs import sandbox
from media_jobs.ffmpeg import capabilities as texts
from media_jobs.ffmpeg.capabilities import SHIPPED_FONT, Font
from media_jobs.host import scratch
from media_jobs.sandbox import allowed_paths

_LIMITS = sandbox.Limits(wall_s=20)
# Liberation Sans, with its licence beside it.
_OWN = Font(SHIPPED_FONT, str(allowed_paths.SHIPPED_FONTS / "LiberationSans-Regular.ttf"))
_LINE = r"%{family[0]}\t%{style[0]}\t%{file}\n"


def found() -> tuple[Font, ...]:
    """A face for each family, asked of fontconfig once a process where that is installed."""
    fc_list = shutil.which("fc-list")
    real = os.path.realpath(fc_list) if fc_list else None
    return _found(real, os.environ.get("FFAPI_FONTS_DIR"))


@lru_cache(maxsize=1)
def _found(fc_list: str | None, _: str | None) -> tuple[Font, ...]:
    listed = texts.read_fonts(_ask(fc_list)) if fc_list else ()
    families = {font.family for font in listed}
    if _OWN.family in families or not sandbox.may_read(Path(_OWN.path)):
        return listed
    return (*listed, _OWN)


def _ask(fc_list: str) -> str:
    with scratch.passing("fonts") as folder:
        done = sandbox.run(fc_list, ["--format", _LINE], folder=folder, limits=_LIMITS)
    return done.stdout.decode(errors="replace")
