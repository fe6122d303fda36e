from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from media_jobs.operations.core import InvalidParams, Media
from media_jobs.operations.core.driver import plan
from tests.harness.measure import ffprobe
from tests.harness.media import Samples
from tests.operations.workshop import declared, run, sources_of


def test_it_works(media: Samples, tmp_path: Path) -> None:
    done = run(
        media,
        tmp_path,
        "audio/extract",
        "film",
        format="mp3",
        bitrate="128k",
        sample_rate=44100,
        channels=2,
        start=1,
        end=3,
    )
    track = done.info.audio[0]
    assert (track.codec, track.sample_rate, track.channels) == ("mp3", 44100, 2)
    assert track.bit_rate == 128_000
    assert done.info.duration_s == pytest.approx(2, abs=0.06)
    assert done.outputs[0].name == "film.mp3"


def packets(path: Path) -> list[str]:
    told = ffprobe("-show_packets", "-show_data_hash", "CRC32", "-select_streams", "a", path)
    return [packet["data_hash"] for packet in told["packets"]]


def test_the_same_codec_is_copied_bit_by_bit(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "audio/extract", "film", format="m4a")
    assert done.data == {"action": "copied"}
    assert packets(done.path) == packets(media.path("film"))


def test_surround_sound_to_opus(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "audio/extract", "surround_film", format="opus")
    assert done.info.audio[0].channels == 6


@pytest.mark.parametrize(
    ("sample", "params", "field"),
    [
        ("silent_film", {}, "input"),
        ("film", {"track": 1}, "track"),
        ("film", {"format": "opus", "sample_rate": 44100}, "sample_rate"),
        ("film", {"channels": 3}, "channels"),
        ("film", {"start": 5}, "start"),
        ("film", {"format": "flac", "bitrate": "128k"}, "bitrate"),
        ("film", {"format": "mp3", "bitrate": "9999k"}, "bitrate"),
    ],
)
def test_what_cannot_work_is_refused(
    media: Samples, sample: str, params: dict[str, Any], field: str
) -> None:
    op = declared("audio/extract", {"input": sample}, params)
    with pytest.raises(InvalidParams) as refused:
        plan(op, Media(sources_of(op, {"input": sample}, media)))
    assert refused.value.field == field
