from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.output_args import options
from media_jobs.operations.building import edit_audio, measure_audio
from media_jobs.operations.core import SAMPLES, InvalidParams, Media, Source
from tests.harness.measure import loudness, probe
from tests.harness.media import Samples
from tests.operations.workshop import bring, run_command

QUIETER = [Filter("volume", volume="-20dB")]


def source(name: str, codec: str | None = None) -> Source:
    """A sample, as if its audio had another codec."""
    known = SAMPLES[name].as_source("input", 0)
    tracks = tuple(replace(track, codec=codec or track.codec) for track in known.info.audio)
    return replace(known, info=replace(known.info, audio=tracks))


def edited(source: Source) -> Command:
    return edit_audio(Media({"input": source}), QUIETER)


def of_output(command: Command) -> list[tuple[str, str]]:
    args = command.args
    last_input = len(args) - args[::-1].index("-i")
    return list(options(args[last_input + 1 : -1]))


def test_it_works(media: Samples, tmp_path: Path) -> None:
    sample = media("surround_film")
    given = {"input": Source("in/0.mkv", sample.info, "surround.mkv")}
    bring(given, {"input": sample.path}, tmp_path)
    run_command(edit_audio(Media(given), QUIETER), tmp_path)
    made = tmp_path / "out/result.mkv"
    assert loudness(made)[0] == pytest.approx(loudness(sample.path)[0] - 20, abs=0.5)
    info = probe(made)
    assert info.video is not None
    assert (info.video.codec, info.audio[0].codec, info.audio[0].channels) == ("h264", "aac", 6)
    assert info.duration_s == pytest.approx(sample.info.duration_s, abs=0.06)


def test_surround_for_opus_is_still_filtered() -> None:
    """It needs a layout that libopus knows: by another -af the filters would be lost."""
    told = dict(of_output(edited(source("surround_film", "opus"))))
    assert (told["c:a"], told["filter:a"], told["ac"]) == ("libopus", "volume=volume=-20dB", "6")


def test_all_tracks_are_changed_each_as_it_needs() -> None:
    first = source("surround_film", "opus")
    second = replace(first.info.audio[0], index=2, channels=2, layout="stereo")
    both = replace(first, info=replace(first.info, audio=(first.info.audio[0], second)))
    told = of_output(edited(both))
    assert [value for name, value in told if name == "map"] == ["0:0", "0:1", "0:2"]
    assert [(name, value) for name, value in told if name.startswith("filter")] == [
        ("filter:a:0", "volume=volume=-20dB,aformat=channel_layouts=5.1"),
        ("filter:a:1", "volume=volume=-20dB"),
    ]
    only_second = edit_audio(Media({"input": both}), QUIETER, tracks=[second])
    assert [value for name, value in of_output(only_second) if name == "map"] == ["0:0", "0:2"]


@pytest.mark.parametrize(
    ("name", "file"), [("quiet_music", "quiet.wav"), ("film", "film.mp4"), ("film_mkv", "film.mkv")]
)
def test_the_container_stays(name: str, file: str) -> None:
    (made,) = edited(source(name)).outputs
    assert made.name == file


def test_without_audio_there_is_nothing_to_change() -> None:
    with pytest.raises(InvalidParams, match="no audio"):
        edited(source("blue_silent"))


def test_measuring_writes_no_file() -> None:
    given = source("quiet_music")
    meter = [Filter("ebur128")]
    command = measure_audio(Media({"input": given}), given.info.audio[0], meter, parse=str)
    assert command.args[-3:] == ("-f", "null", "-")
    assert (command.outputs, command.parse) == ((), str)
