from __future__ import annotations

import subprocess

import pytest

from media_jobs.ffmpeg.capabilities import (
    Capabilities,
    read_encoders,
    read_filters,
    read_fonts,
    read_muxers,
    read_version,
)
from tests.harness.programs import FFMPEG_PATH


def asked(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def installed() -> Capabilities:
    return Capabilities(
        read_version(asked(FFMPEG_PATH, "-version")),
        read_encoders(asked(FFMPEG_PATH, "-hide_banner", "-encoders")),
        read_filters(asked(FFMPEG_PATH, "-hide_banner", "-filters")),
        read_muxers(asked(FFMPEG_PATH, "-hide_banner", "-muxers")),
        read_fonts(asked("fc-list", "--format", "%{family[0]}\t%{style[0]}\t%{file}\n")),
    )


def test_it_works(installed: Capabilities) -> None:
    assert installed.version
    assert {"libx264", "aac", "png"} <= installed.encoders
    assert {"scale", "drawtext", "concat", "anullsrc"} <= installed.filters
    assert {"mp4", "matroska", "webm", "null"} <= installed.muxers
    assert "=" not in installed.encoders | installed.filters | installed.muxers


def test_fonts_stand_upright(installed: Capabilities) -> None:
    assert str(installed.font_path("dejavu sans")).endswith("/DejaVuSans.ttf")
    assert installed.font_path("No Such Font") is None


def test_what_is_missing(installed: Capabilities) -> None:
    assert installed.lacks_encoder("libx999")
    assert not installed.lacks_encoder("libx264")
    assert installed.lacks_filter("nothing")
    assert not Capabilities().lacks_encoder("libx999")
