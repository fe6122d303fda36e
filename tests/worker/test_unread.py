"""What people send that is not read here: they are told what it is and what to send instead."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from media_jobs.host import probe
from media_jobs.host.unsupported_formats import why
from tests.harness.media import Samples
from tests.harness.programs import FFMPEG_PATH

_ENCRYPTED = (
    *("-c", "copy", "-encryption_scheme", "cenc-aes-ctr"),
    *("-encryption_key", "00112233445566778899aabbccddeeff"),
    *("-encryption_kid", "00112233445566778899aabbccddeeff"),
)
_MADE: dict[str, tuple[str, ...]] = {
    "film.nut": ("-c", "copy"),
    "still.avif": ("-frames:v", "1", "-c:v", "libaom-av1", "-cpu-used", "8", "-still-picture", "1"),
    "moving.webp": ("-t", "0.5", "-vf", "scale=64:-2", "-c:v", "libwebp_anim"),
    "encrypted.mp4": (*_ENCRYPTED, "-movflags", "+faststart"),
    "encrypted_too.mp4": _ENCRYPTED,  # which says so at its end
}
_SAID = {
    "film.nut": "NUT",
    "still.avif": "AVIF",
    "moving.webp": "animated WebP",
    "encrypted.mp4": "encrypted",
    "encrypted_too.mp4": "encrypted",
}


def make(media: Samples, to: Path, *args: str) -> Path:
    command = [FFMPEG_PATH, "-v", "error", "-i", str(media.path("film")), *args, str(to)]
    subprocess.run(command, check=True)
    return to


@pytest.mark.parametrize("name", _MADE)
def test_it_is_named_with_what_would_work(media: Samples, tmp_path: Path, name: str) -> None:
    path = make(media, tmp_path / name, *_MADE[name])
    with pytest.raises(probe.Unreadable) as unreadable:
        probe.probe(path, tenant_id="tenant_1")
    assert unreadable.value.code == "bad_format"
    assert _SAID[name] in unreadable.value.detail
    assert "send" in unreadable.value.detail


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "HEIC"),
        (b"\x00\x00\x00\x18ftypavis\x00\x00\x00\x00avis", "animated AVIF"),
        (b"tBaK\x00\x00\x00\x00", "TAK"),
        (b"DSD \x1c\x00\x00\x00", "DSF"),
    ],
)
def test_what_can_not_be_made_here_is_told_by_its_beginning(
    tmp_path: Path, head: bytes, said: str
) -> None:
    path = tmp_path / "strange"
    path.write_bytes(head + b"\x00" * 1000)
    assert said in str(why(path))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("film.mp4", ("-c", "copy")),
        ("still.webp", ("-frames:v", "1", "-c:v", "libwebp")),
        ("film.mkv", ("-c", "copy")),
    ],
)
def test_what_is_read_is_not_refused(
    media: Samples, tmp_path: Path, name: str, args: tuple[str, ...]
) -> None:
    assert why(make(media, tmp_path / name, *args)) is None


def test_a_recording_that_was_not_finished_is_called_so(media: Samples, tmp_path: Path) -> None:
    whole = make(media, tmp_path / "whole.mp4", "-c", "copy").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(probe.Unreadable) as unreadable:
        probe.probe(cut, tenant_id="tenant_1")
    assert unreadable.value.code == "input_unreadable"
    assert "cut off" in unreadable.value.detail


@pytest.mark.parametrize("size", [2**64 - 1, 2**63 - 1, 2**44, 16, 15, 1, 0])
def test_a_size_that_lies_ends_the_look(tmp_path: Path, size: int) -> None:
    path = tmp_path / "strange"
    path.write_bytes(b"\0\0\0\1ftyp" + size.to_bytes(8, "big") + b"isom" + bytes(5000))
    assert why(path) is None
