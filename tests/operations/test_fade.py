from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from media_jobs.ffmpeg.words import Unsaid
from media_jobs.operations.audio.fade import read_end
from media_jobs.operations.core import InvalidParams, Media
from media_jobs.operations.core.driver import plan
from tests.harness.measure import ffprobe, filtered
from tests.harness.media import Samples
from tests.operations.workshop import declared, run, sources_of


def level(path: Path, start: float, end: float, track: int = 0) -> float:
    """The mean of a part, in dB below full scale."""
    told = filtered(path, f"[0:a:{track}]atrim={start}:{end},volumedetect")
    found = re.search(r"mean_volume: (-?[\d.]+) dB", told)
    assert found
    return float(found.group(1))


def against_source(done: Path, source: Path, *parts: tuple[float, float]) -> list[float]:
    """How much louder each part is than it was, in dB."""
    return [level(done, *part) - level(source, *part) for part in parts]


def test_it_works(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "audio/fade", "quiet_music", fade_in=2, fade_out=4)
    parts = [(0, 0.1), (0.95, 1.05), (2.1, 3.9), (5.95, 6.05), (7.9, 8)]
    first, rising, middle, falling, last = against_source(
        done.path, media.path("quiet_music"), *parts
    )
    assert (first, last) < (-25, -25)
    assert (rising, falling) == pytest.approx((-6, -6), abs=0.3)
    assert middle == pytest.approx(0, abs=0.05)
    assert done.data == {"start_s": 0, "end_s": 8}


@pytest.mark.parametrize(
    ("curve", "late_in_it"), [("qsin", -0.7), ("hsin", -1.4), ("log", -0.2), ("exp", -25)]
)
def test_curves(media: Samples, tmp_path: Path, curve: str, late_in_it: float) -> None:
    done = run(media, tmp_path, "audio/fade", "quiet_music", fade_in=4, curve=curve)
    parts = [(2.98, 3.02), (4.1, 8)]
    measured = against_source(done.path, media.path("quiet_music"), *parts)
    assert measured == pytest.approx([late_in_it, 0], abs=0.2)


def test_the_picture_is_untouched(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "audio/fade", "film", fade_in=1, fade_out=1)
    assert pictures(done.path) == pictures(media.path("film"))
    parts = [(0.45, 0.55), (1.1, 2.9), (3.45, 3.55)]
    measured = against_source(done.path, media.path("film"), *parts)
    assert measured == pytest.approx([-6, 0, -6], abs=0.3)


def pictures(path: Path) -> list[str]:
    told = ffprobe("-show_packets", "-show_data_hash", "CRC32", "-select_streams", "v", path)
    return [packet["data_hash"] for packet in told["packets"]]


def test_surround_sound(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "audio/fade", "surround_film", fade_in=1, fade_out=1)
    assert done.info.audio[0].channels == 6
    parts = [(0.45, 0.55), (1.1, 1.9), (2.45, 2.55)]
    measured = against_source(done.path, media.path("surround_film"), *parts)
    assert measured == pytest.approx([-6, 0, -6], abs=0.5)


def test_sound_that_begins_and_ends_after_the_picture(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "audio/fade", "late_sound", fade_in=1, fade_out=1)
    assert (done.data["start_s"], done.data["end_s"]) == pytest.approx((0.5, 4.5), abs=0.03)
    parts = [(0.95, 1.05), (1.6, 3.4), (3.95, 4.05)]
    measured = against_source(done.path, media.path("late_sound"), *parts)
    assert measured == pytest.approx([-6, 0, -6], abs=0.5)


def test_the_length_of_some_sound_is_an_estimate(media: Samples, tmp_path: Path) -> None:
    """A fade by the header alone would silence a part of it, or be behind its end."""
    source = media("guessed_music")
    assert abs((source.info.duration_s or 0.0) - 120) > 30
    done = run(media, tmp_path, "audio/fade", "guessed_music", fade_out=80)
    assert done.data["end_s"] == pytest.approx(120, abs=0.2)
    measured = against_source(done.path, source.path, (1, 39), (49.8, 50.2))
    # MP3 itself takes a part of a decibel from noise.
    assert measured == pytest.approx([0, -1.2], abs=0.6)


def test_no_fade_is_refused(media: Samples) -> None:
    with pytest.raises(InvalidParams, match="give fade_in, fade_out or both"):
        planned(media, "film", {})


def test_no_sound_is_refused(media: Samples) -> None:
    with pytest.raises(InvalidParams, match="no audio"):
        planned(media, "silent_film", {"fade_in": 1})


def planned(media: Samples, sample: str, params: dict[str, Any]) -> None:
    op = declared("audio/fade", {"input": sample}, params)
    plan(op, Media(sources_of(op, {"input": sample}, media)))


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"fade_in": 9}, "fade_in"),
        ({"fade_out": 8.1}, "fade_out"),
        ({"fade_in": 4, "fade_out": 5}, "fade_out"),
    ],
)
def test_fades_longer_than_the_sound_are_refused(
    media: Samples, tmp_path: Path, params: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidParams, match="the sound lasts 8 s") as refused:
        run(media, tmp_path, "audio/fade", "quiet_music", **params)
    assert refused.value.field == field


def test_fades_as_long_as_the_sound(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "audio/fade", "quiet_music", fade_in=4, fade_out=4)
    measured = against_source(done.path, media.path("quiet_music"), (1.95, 2.05), (5.95, 6.05))
    assert measured == pytest.approx([-6, -6], abs=0.3)


def test_the_end_is_said_by_the_last_part() -> None:
    part = "\x1b[1;32m[Parsed_astats_1 @ 0x1] \x1b[0m[info] Number of samples: {}\n"
    assert read_end(part.format(96000) + part.format(144000)) == 3.0


@pytest.mark.parametrize(
    "log", ["", "[Parsed_astats_1 @ 0x1] [info] Number of samples: 48000", "Number of samples: "]
)
def test_no_end_is_told(log: str) -> None:
    with pytest.raises(Unsaid):
        read_end(log)
