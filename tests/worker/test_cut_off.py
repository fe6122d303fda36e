"""R32: files that end before the end they tell of, each container in its own words."""

from __future__ import annotations

import subprocess
import time
from functools import cache
from pathlib import Path

import pytest

from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.host import truncation
from media_jobs.host.truncation import is_cut_off
from media_jobs.operations.core import Source
from media_jobs.worker.heartbeat import Canceled
from tests.harness.measure import probe
from tests.harness.media import Samples
from tests.harness.programs import FFMPEG_PATH

_COPIED = ("-c", "copy")
# How each is made of a film.
_FILES: dict[str, tuple[str, ...]] = {
    "film.mp4": (*_COPIED, "-movflags", "+faststart"),
    "fragments.mp4": (*_COPIED, "-movflags", "frag_keyframe"),
    "film.mkv": _COPIED,
    "film.ts": _COPIED,
    "film.flv": _COPIED,
    "film.avi": ("-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "film.wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
    "film.gif": ("-vf", "scale=64:-2,fps=5"),
    "picture.jpg": ("-frames:v", "1"),
    "picture.png": ("-frames:v", "1"),
    "picture.webp": ("-frames:v", "1"),
    "sound.wav": ("-vn",),
    "sound.aiff": ("-vn",),
    "sound.mp3": ("-vn",),
    "titled.mp3": ("-vn", "-metadata", "title=" + "x" * 500),
    "sound.ogg": ("-vn", "-c:a", "libvorbis"),
    "sound.opus": ("-vn", "-c:a", "libopus"),
}
# They tell nothing of their length: their ends are not known to be missing.
_SILENT = {
    "live.mkv": (*_COPIED, "-live", "1"),
    "sound.flac": ("-vn",),
    "sound.aac": ("-vn",),
}


@pytest.fixture(scope="module")
def folder(media: Samples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cut_off")
    for name, args in (_FILES | _SILENT).items():
        remade(media.path("film"), folder / name, *args)
    return folder


def remade(film: Path, to: Path, *args: str) -> None:
    subprocess.run([FFMPEG_PATH, "-v", "error", "-i", str(film), *args, str(to)], check=True)


described = cache(probe)


@pytest.mark.parametrize("name", [*_FILES, *_SILENT])
def test_a_whole_file_is_not_said_to_be_cut(folder: Path, name: str) -> None:
    assert not is_cut_off(folder / name, described(folder / name))


@pytest.mark.parametrize("name", _FILES)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.97])
def test_a_cut_one_is(folder: Path, tmp_path: Path, name: str, share: float) -> None:
    whole = (folder / name).read_bytes()
    # An odd number: some of these formats are made of blocks.
    cut = tmp_path / name
    cut.write_bytes(whole[: int(len(whole) * share) | 1])
    assert is_cut_off(cut, described(folder / name))


@pytest.mark.parametrize(
    ("name", "appended"),
    [
        ("film.mp4", b"SEFH\x00\x00\x00\x00" * 9),
        ("film.mp4", b"\x00" * 100),
        ("film.mkv", b"\x00" * 100),
        ("film.gif", b"\x00\r\n"),
        ("picture.jpg", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 3_000_000),
        ("picture.png", b"appended"),
        ("sound.mp3", b"TAG" + b"x" * 125),
        ("sound.wav", b"LIST\x04\x00\x00\x00abcd"),
        ("sound.ogg", b"ID3" + b"\x00" * 200_000),
    ],
)
def test_what_was_appended_to_a_whole_one_does_no_harm(
    folder: Path, tmp_path: Path, name: str, appended: bytes
) -> None:
    longer = tmp_path / name
    longer.write_bytes((folder / name).read_bytes() + appended)
    assert not is_cut_off(longer, described(folder / name))


@pytest.mark.parametrize("name", _FILES)
@pytest.mark.parametrize("content", [b"", b"\x00", b"RIFF", b"OggS", b"\xff" * 5000, b"ID3" * 9])
def test_what_is_not_what_it_was_taken_for_is_cut_or_whole(
    folder: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    strange = tmp_path / "strange"
    strange.write_bytes(content)
    assert is_cut_off(strange, described(folder / name)) in {True, False}


_SCAN = b"\xff\xd8\xff\xda\x00\x08" + b"\x00" * 100


def big_picture(path: Path, end: bytes) -> Path:
    """A scan of 1 GiB, most of it a hole."""
    with path.open("wb") as file:
        file.write(_SCAN)
        file.seek(1 << 30)
        file.write(end)
    return path


def test_a_long_scan_is_not_read_to_its_end(folder: Path, tmp_path: Path) -> None:
    """Nothing is said of it, in a moment: it may have an end."""
    picture = big_picture(tmp_path / "a.jpg", b"\x00")
    before = _bytes_read()
    assert not is_cut_off(picture, described(folder / "picture.jpg"))
    assert _bytes_read() - before < 100 << 20


def _bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def test_what_several_inputs_are_is_looked_at_once_and_with_a_beat(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0").write_bytes(_SCAN)
    for number in range(1, 4):
        (tmp_path / str(number)).hardlink_to(tmp_path / "0")
    looked: list[Path] = []
    beats: list[float] = []

    def slow(path: Path, info: MediaInfo) -> bool:
        looked.append(path)
        time.sleep(1.2)
        return is_cut_off(path, info)

    monkeypatch.setattr(truncation, "is_cut_off", slow)
    info = described(folder / "picture.jpg")
    sources = [Source(str(each), info, name=f"{each}.jpg", role="input") for each in range(4)]
    cut = truncation.names_of_cut(tmp_path, sources, lambda: beats.append(time.monotonic()))
    assert cut == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert len(looked) == 1
    assert beats


def test_a_job_that_is_to_end_does_not_wait_for_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel() -> None:
        raise Canceled

    (tmp_path / "0").write_bytes(_SCAN)
    monkeypatch.setattr(truncation, "is_cut_off", lambda *_: time.sleep(2))
    source = Source("0", described(folder / "picture.jpg"), name="0.jpg", role="input")
    with pytest.raises(Canceled):
        truncation.names_of_cut(tmp_path, [source], cancel)
