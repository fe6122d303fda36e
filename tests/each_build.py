"""What is tested with every FFmpeg of this machine: by day the first, by night all of them."""

from __future__ import annotations

import pytest

from media_jobs.host import toolchain

BUILDS = [
    pytest.param(build.ffmpeg, id=build.name, marks=[pytest.mark.nightly] if place else [])
    for place, build in enumerate(toolchain.installed())
]
