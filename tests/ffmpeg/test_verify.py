from __future__ import annotations

from dataclasses import replace

import pytest

from media_jobs.ffmpeg.command import OutputFile
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.ffmpeg.verify import check, tells_of_damage
from tests.harness.media import Samples

FILM = OutputFile("out/a.mp4", "result", "a.mp4", "video/mp4", 4.0, frozenset({"video", "audio"}))


@pytest.fixture
def film(media: Samples) -> MediaInfo:
    return media("film").info


def test_it_works(film: MediaInfo) -> None:
    verified = check(FILM, film, 1000)
    assert verified.problems == ()
    assert verified.checks == ("size", "readable", "streams", "duration")


def test_nothing_there(film: MediaInfo) -> None:
    assert check(FILM, film, 0).problems == ("the output is missing or empty",)


def test_not_readable() -> None:
    assert check(FILM, None, 10).problems == ("the output is not readable as media",)


def test_a_stream_is_missing(media: Samples) -> None:
    output = replace(FILM, duration_s=3.0)
    assert check(output, media("silent_film").info, 10).problems == ("the output has no audio",)


@pytest.mark.parametrize("planned_s", [2.0, 8.0])
def test_half_a_film_is_told(film: MediaInfo, planned_s: float) -> None:
    verified = check(replace(FILM, duration_s=planned_s), film, 10)
    assert verified.warnings == (f"the output lasts 4.00 s instead of {planned_s:.2f} s",)
    assert "duration" not in verified.checks


def test_a_text_is_only_there_or_not() -> None:
    assert check(replace(FILM, streams=None), None, 10).checks == ("size",)


@pytest.mark.parametrize(
    ("line", "is_damage"),
    [
        ("[h264 @ 0x5] [error] error while decoding MB 28 15, bytestream -64", True),
        ("[warning] in/0.ts: corrupt decoded frame in stream 0", True),
        ("[info] Stream mapping:", False),
    ],
)
def test_what_ffmpeg_says_of_damage(line: str, *, is_damage: bool) -> None:
    assert tells_of_damage(line) is is_damage
