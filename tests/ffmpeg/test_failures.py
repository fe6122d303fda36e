"""The table is held against what the installed FFmpeg really says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from media_jobs.ffmpeg.failures import CPU_LIMIT, classify, clean, reason
from media_jobs.operations.core import GLOBAL_ARGS
from tests.harness.media import Samples
from tests.harness.programs import FFMPEG_PATH


def said(*args: str | Path) -> tuple[str, int]:
    done = subprocess.run(
        [FFMPEG_PATH, *GLOBAL_ARGS, *args], capture_output=True, text=True, check=False
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
    assert "cut off" in failure.hint


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


GENERATED = ("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=0.2")
HAS_GPU = bool(list(Path("/dev").glob("dri/renderD*")) + list(Path("/dev").glob("nvidia[0-9]*")))


@pytest.mark.skipif(HAS_GPU, reason="there is a GPU that may do it")
@pytest.mark.parametrize(
    "args",
    [
        "-c:v h264_nvenc",
        "-c:v h264_qsv",
        "-init_hw_device vaapi=gpu -filter_hw_device gpu -vf format=nv12,hwupload -c:v h264_vaapi",
        "-init_hw_device qsv=gpu -c:v h264_qsv",
    ],
)
def test_no_gpu(args: str) -> None:
    failure = classify(*said(*GENERATED, *args.split(), "-f", "null", "-"))
    assert (failure.code, failure.gpu, failure.retryable) == ("gpu_unavailable", True, False)


@pytest.mark.skipif(HAS_GPU, reason="there is a GPU that may do it")
def test_no_gpu_to_decode(media: Samples) -> None:
    args = ("-hwaccel", "cuda", "-hwaccel_output_format", "cuda", "-i", media.path("film"))
    failure = classify(*said(*args, "-c:v", "h264_nvenc", "-f", "null", "-"))
    assert (failure.code, failure.gpu) == ("gpu_unavailable", True)


@pytest.mark.parametrize(
    ("stderr", "code"),
    [
        # FFmpeg 9 on a machine without a GPU.
        ("[h264_nvenc @ 0x5] [error] Cannot load libcuda.so.1", "gpu_unavailable"),
        ("[h264_qsv @ 0x5] [error] Error creating a MFX session: -9.", "gpu_unavailable"),
        ("[VAAPI @ 0x5] [error] No VA display found for device /dev/dri/renderD128.", ""),
        ("[error] Hardware device setup failed for decoder: Operation not permitted", ""),
        # From the sources of FFmpeg 5, 7 and 9.
        ("[error] Cannot load nvcuda.dll", ""),
        ("[error] Driver does not support the required nvenc API version. Required: 13.0", ""),
        ("[error] The minimum required Nvidia driver for nvenc is 570.0 or newer", ""),
        ("[error] OpenEncodeSessionEx failed: unsupported device (2): (no details)", ""),
        ("[error] dl_fn->cuda_dl->cuInit(0) failed -> CUDA_ERROR_NO_DEVICE: no device", ""),
        ("[error] No capable devices found", ""),
        ("[error] Failed to initialise VAAPI connection: -1 (unknown libva error).", ""),
        ("[error] Error: cannot create compression session: -12903", ""),
        ("[error] OpenEncodeSessionEx failed: out of memory (10): (no details)", "gpu_busy"),
        ("[error] OpenEncodeSessionEx failed: incompatible client key (21): ", "gpu_busy"),
        ("[error] cu->cuMemAlloc(&p, n) failed -> CUDA_ERROR_OUT_OF_MEMORY", "gpu_out_of_memory"),
        ("[error] Failed to create surface: 2 (resource allocation failed).", "gpu_out_of_memory"),
        ("[error] CreateInputBuffer failed: out of memory (10): ", "gpu_out_of_memory"),
        ("[warning] 10 bit encode not supported\n[error] No capable devices", "gpu_unsupported"),
        ("[error] InitializeEncoder failed: invalid param (8): Frame Dim", "gpu_unsupported"),
        ("[error] No usable encoding profile found.", "gpu_unsupported"),
        ("[error] Hardware does not support image size 32x32 (constraints: ", "gpu_unsupported"),
        ("[error] Error initializing the encoder: invalid video param (-15)", "gpu_unsupported"),
    ],
)
def test_what_gpus_say(stderr: str, code: str) -> None:
    failure = classify(stderr, 1)
    assert (failure.code, failure.gpu) == (code or "gpu_unavailable", True)


def test_a_broken_input_is_no_failure_of_the_gpu(tmp_path: Path) -> None:
    text = tmp_path / "letter.mp4"
    text.write_text("Dear all, this is no film.")
    args = ("-hwaccel", "cuda", "-hwaccel_output_format", "cuda", "-i", text)
    failure = classify(*said(*args, "-c:v", "h264_nvenc", "-f", "null", "-"))
    assert (failure.code, failure.gpu) == ("input_unreadable", False)


def test_other_memory_is_not_the_gpus() -> None:
    failure = classify("[error] Error: Cannot allocate memory", 1)
    assert not failure.gpu


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
