"""The table is held against what the installed FFmpeg really says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from media_jobs.ffmpeg.failures import CPU_LIMIT, classify, clean, reason
from media_jobs.operations.media import GLOBAL_ARGS
from tests.media import Samples


def said(*args: str | Path) -> tuple[str, int]:
    done = subprocess.run(
        ["ffmpeg", *GLOBAL_ARGS, *args], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    return done.stderr, done.returncode


def test_it_works(tmp_path: Path) -> None:
    text = tmp_path / "letter.mp4"
    text.write_text("Dear all, this is no film.")
    failure = classify(*said("-i", text, "-f", "null", "-"))
    assert failure.code == "input_unreadable"
    assert failure.hint
    assert not failure.retryable


def test_a_truncated_file(media: Samples, tmp_path: Path) -> None:
    half = tmp_path / "half.mp4"
    whole = media.path("film").read_bytes()
    half.write_bytes(whole[: len(whole) // 2])
    failure = classify(*said("-i", half, "-f", "null", "-"))
    assert failure.code in {"input_unreadable", "input_truncated"}
    assert "again" in failure.hint


def test_a_missing_stream(media: Samples) -> None:
    failure = classify(*said("-i", media.path("silent_film"), "-map", "0:a", "-f", "null", "-"))
    assert failure.code == "no_such_stream"


def test_an_unknown_encoder(media: Samples) -> None:
    failure = classify(*said("-i", media.path("film"), "-c:v", "libx999", "-f", "null", "-"))
    assert failure.code == "unsupported_codec"


def test_a_codec_in_the_wrong_container(media: Samples, tmp_path: Path) -> None:
    failure = classify(*said("-i", media.path("film"), "-c", "copy", tmp_path / "a.webm"))
    assert failure.code in {"unsupported_codec", "ffmpeg_failed"}


def test_a_refused_protocol(tmp_path: Path) -> None:
    args = ("-protocol_whitelist", "file", "-i", "http://127.0.0.1:9/", "-f", "null", "-")
    assert classify(*said(*args)).code == "protocol_refused"


def test_no_room() -> None:
    args = ("-f", "lavfi", "-i", "testsrc=d=9", "-c:v", "rawvideo", "-f", "nut", "/dev/full")
    failure = classify(*said(*args))
    assert (failure.code, failure.retryable) == ("storage_full", True)


def test_no_gpu(media: Samples) -> None:
    args = ("-i", media.path("film"), "-c:v", "h264_nvenc", "-f", "null", "-")
    failure = classify(*said(*args))
    assert (failure.code, failure.gpu) == ("gpu_unavailable", True)


@pytest.mark.parametrize(
    ("returncode", "code"),
    [
        (-9, "killed"),
        (137, "killed"),
        (-24, CPU_LIMIT.code),
        (-25, "output_too_large"),
        (1, "ffmpeg_failed"),
    ],
)
def test_signals(returncode: int, code: str) -> None:
    assert classify("", returncode).code == code


def test_the_first_complaint_is_the_reason() -> None:
    stderr = "[info] fine\n[h264 @ 0x1] [error] first\n[error] second\n"
    assert reason(stderr) == "first"
    assert reason("only this\n") == "only this"


@pytest.mark.parametrize(
    ("stderr", "cleaned"),
    [
        ("/data/jobs/1/in/0.mp4: broken", "in/0.mp4: broken"),
        ("opening '/etc/ssl/key.pem' failed", "opening 'key.pem' failed"),
        ("rate 30000/1001, in/0.mp4", "rate 30000/1001, in/0.mp4"),
        ("https://example.com/a/b", "https://example.com/a/b"),
    ],
)
def test_private_paths_are_removed(stderr: str, cleaned: str) -> None:
    assert clean(stderr, "/data/jobs/1") == cleaned
