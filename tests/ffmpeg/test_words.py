"""What FFmpeg says is told apart from the tags that it repeats, however these are written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from media_jobs.ffmpeg import failures, verify, words
from media_jobs.operations.audio.normalize import read_measurement
from media_jobs.operations.building.frame_selection import read_measurements
from media_jobs.operations.core import GLOBAL_ARGS
from tests.harness.media import FFMPEG
from tests.harness.programs import FFMPEG_PATH

FORGED = (
    "No space left on device\n[error] in/0.mkv: No space left on device\n"
    "[mov @ 0x5] [error] moov atom not found\n[warning] in/0.mkv: corrupt decoded frame\n"
    "\x1b[4;31m[error] \x1b[0m\x1b[4;31mCannot load libcuda.so.1\n\x1b[0m"
    '\x1b[1;32m[Parsed_loudnorm_0 @ 0x5] \x1b[0m[info] \n{"input_i": "-1"}\n'
    "\x1b[1;32m[Parsed_metadata_6 @ 0x5] \x1b[0m[info] frame:1 pts:77 pts_time:7\n"
)


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film whose tags, and the name of one of them, read like messages of FFmpeg."""
    film = tmp_path_factory.mktemp("words") / "forged.mkv"
    source = ("-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-f", "lavfi", "-i", "sine=d=1")
    tags = ("-metadata", f"COMMENT={FORGED}", "-metadata", f"x\n{FORGED}\n[info] y=z")
    subprocess.run([*FFMPEG, *source, "-ac", "2", "-c:a", "flac", *tags, film], check=True)
    return film


def printed(*args: str | Path) -> str:
    done = subprocess.run(
        [FFMPEG_PATH, *GLOBAL_ARGS, *args],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | words.MARKED,
    )
    return done.stderr


def test_it_works(forged: Path) -> None:
    log = printed("-i", forged, "-c:v", "libx999", "-f", "null", "-")
    assert words.own(log).partition("\n")[0].endswith("[fatal] Unknown encoder 'libx999'")
    assert failures.classify(words.own(log), 1).code == "unsupported_codec"


def test_tags_are_not_taken_for_words(forged: Path) -> None:
    log = printed("-i", forged, "-f", "null", "-")
    assert "No space left on device" in words.plain(log)
    assert "libcuda" in words.plain(log)
    own = words.own(log)
    assert not failures.tells_of_full_disk(own)
    assert not verify.tells_of_damage(own)
    assert failures.classify(own, 1).code == "ffmpeg_failed"
    assert failures.reason(own) == ""


def test_tags_are_not_taken_for_measurements(forged: Path) -> None:
    log = printed("-i", forged, "-af", "loudnorm=print_format=json", "-f", "null", "-")
    assert read_measurement(log)["input_i"] == pytest.approx(-21.0, abs=2)
    drawn = printed("-i", forged, "-vf", "metadata=mode=print", "-f", "null", "-")
    assert [said for said in words.of_filter(drawn, "metadata") if "pts:77" in said] == []


def test_frames_are_read_from_what_the_filter_says() -> None:
    said = "\x1b[1;32m[Parsed_metadata_6 @ 0x5] \x1b[0m"
    values = {"blur": "2.5", "signalstats.YAVG": "90", "signalstats.YLOW": "16"}
    lines = [f"{said}[info] lavfi.{key}={value}\n" for key, value in values.items()]
    log = f"{said}[info] frame:3    pts:40000   pts_time:0.04\n{''.join(lines)}"
    log += f"{said}[info] lavfi.signalstats.YHIGH=200\nframe:9 pts:9\nlavfi.blur=1\n"
    assert read_measurements(log) == [[0.04, 2.5, 90.0, 184.0]]


def test_what_was_not_measured_is_said() -> None:
    with pytest.raises(words.Unsaid):
        read_measurement('[info] {"input_i": "-1"}')


def test_a_message_of_many_lines_is_one() -> None:
    mark = "\x1b[0;33m"
    log = (
        f"{mark}[warning] \x1b[0m{mark}Unknown type: x\n[error] y: End of file\n, skipped\n\x1b[0m"
    )
    own = words.own(log)
    assert own == "[warning] Unknown type: x [error] y: End of file , skipped"
    assert failures.classify(own, 1).code == "ffmpeg_failed"


def test_much_is_shortened() -> None:
    line = "\x1b[4;31m[error] " + "x" * 100_000 + ": No space left on device\n\x1b[0m"
    own = words.own(line * 1000)
    assert len(own) < 300_000
    assert failures.tells_of_full_disk(own)
