from __future__ import annotations

from pathlib import Path

import pytest

from media_jobs.operations.audio.normalize import check_is_heard
from media_jobs.operations.core import InvalidParams, Media
from media_jobs.operations.core.driver import plan
from tests.harness.measure import ffprobe, loudness, loudness_range
from tests.harness.media import Samples
from tests.operations.workshop import declared, run, sources_of

_PAIRS = [
    # Nightly are pairs of a sample and a target that are each met by day in another pair.
    pytest.param(sample, target, marks=() if place == other else pytest.mark.nightly)
    for place, sample in enumerate(("quiet_music", "film", "peaky_music"))
    for other, target in enumerate((-23, -16, -14))
]


@pytest.mark.parametrize(("sample", "target"), _PAIRS)
def test_it_works(media: Samples, tmp_path: Path, sample: str, target: float) -> None:
    done = run(media, tmp_path, "audio/normalize", sample, target_lufs=target, true_peak=-1)
    lufs, peak = loudness(done.path)
    assert lufs == pytest.approx(target, abs=0.5)
    assert peak <= -0.9
    source, track = media(sample).info, done.info.audio[0]
    assert (track.sample_rate, track.channels) == (48000, source.audio[0].channels)
    assert done.info.duration_s == pytest.approx(source.duration_s, abs=0.06)


def test_the_picture_is_untouched(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "audio/normalize", "film")
    assert pictures(done.path) == pictures(media.path("film"))


def pictures(path: Path) -> list[str]:
    told = ffprobe("-show_packets", "-show_data_hash", "CRC32", "-select_streams", "v", path)
    return [packet["data_hash"] for packet in told["packets"]]


def test_peaks_are_held_through_a_lossy_codec(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "audio/normalize", "peaky_aac", target_lufs=-16, true_peak=-2)
    lufs, peak = loudness(done.path)
    assert lufs == pytest.approx(-16, abs=0.5)
    assert peak <= -1.9
    assert len(done.commands) > 2


def test_a_range_is_narrowed(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "audio/normalize", "waxing_music", loudness_range=3)
    assert loudness_range(done.path) < loudness_range(media.path("waxing_music")) / 2
    assert loudness(done.path)[0] == pytest.approx(-16, abs=0.5)


@pytest.mark.parametrize("sample", ["surround_film", "late_sound"])
def test_awkward_sources(media: Samples, tmp_path: Path, sample: str) -> None:
    done = run(media, tmp_path, "audio/normalize", sample, target_lufs=-20)
    assert loudness(done.path)[0] == pytest.approx(-20, abs=0.5)
    assert done.info.audio[0].channels == media(sample).info.audio[0].channels


def test_silence_is_refused(media: Samples, tmp_path: Path) -> None:
    with pytest.raises(InvalidParams, match="silent"):
        run(media, tmp_path, "audio/normalize", "silence")


def test_no_sound_is_refused(media: Samples) -> None:
    op = declared("audio/normalize", {"input": "silent_film"}, {})
    with pytest.raises(InvalidParams, match="no audio"):
        plan(op, Media(sources_of(op, {"input": "silent_film"}, media)))


@pytest.mark.parametrize(
    ("measured", "code"),
    [
        ({"input_i": -99.0, "input_tp": -99.0}, "silent"),
        ({"input_i": -99.0, "input_tp": -18.0}, "too_short"),
    ],
)
def test_only_silence_is_called_silent(measured: dict[str, float], code: str) -> None:
    with pytest.raises(InvalidParams) as refused:
        check_is_heard(measured)
    assert refused.value.code == code
