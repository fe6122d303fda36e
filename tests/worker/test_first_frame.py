"""What the bundled ffprobe can't decode is decoded by FFmpeg: its size is found, and held."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from media_jobs import sandbox
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.host import probe
from tests.harness.media import FFMPEG

PATTERN = ("-f", "lavfi", "-i", "testsrc2=s=62x34:d=0.2,format=rgb24")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sandbox.prepare(tmp_path)
    return tmp_path


def look(folder: Path, name: str) -> MediaInfo:
    (folder / "in" / name).chmod(0o644)
    return probe.probe_in(folder, f"in/{name}", limits=probe.media_limits())


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("a.png", ("-frames:v", "1", "-pix_fmt", "rgba")),
        ("b.png", ("-frames:v", "1", "-pix_fmt", "pal8")),
        ("a.tiff", ("-frames:v", "1", "-compression_algo", "deflate")),
        ("a.mov", ("-c:v", "png")),
        ("a.avi", ("-c:v", "zmbv")),
        ("a.flv", ("-c:v", "flashsv")),
    ],
)
def test_it_works(folder: Path, name: str, args: tuple[str, ...]) -> None:
    path = folder / "in" / name
    subprocess.run([*FFMPEG, *PATTERN, *args, path], check=True)
    found = look(folder, name).video
    assert found is not None
    assert (found.width, found.height) == (62, 34)
    if shutil.which("ffprobe"):
        asked = ("-v", "error", "-show_entries", "stream=pix_fmt", "-of", "csv=p=0", path)
        told = subprocess.run(["ffprobe", *asked], check=True, capture_output=True, text=True)
        assert found.pix_fmt == told.stdout.strip().rstrip(",")


def png(width: int, height: int, *, depth: int = 8, colours: int = 2, data: bytes = b"") -> bytes:
    """A PNG's chunks with right sums, whatever they say."""
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@pytest.mark.parametrize(
    "content",
    [png(62, 34)[:33], png(62, 34, depth=7, colours=3), png(62, 34, data=b"no zlib")],
    ids=["header only", "depth of 7", "no data"],
)
def test_a_picture_that_can_t_be_decoded_is_refused(folder: Path, content: bytes) -> None:
    """A still of it would be waited for without end."""
    (folder / "in" / "a.png").write_bytes(content)
    with pytest.raises(probe.Unreadable) as refused:
        look(folder, "a.png")
    assert refused.value.code == "input_unreadable"


def test_a_size_that_a_container_lies_about_is_held(folder: Path) -> None:
    large = png(16_000, 16_000, data=zlib.compress(bytes(16_000 * 3 + 1) * 64))
    (folder / "in" / "large.png").write_bytes(large)
    with pytest.raises(probe.TooMuch) as refused:
        look(folder, "large.png")
    assert refused.value.code == "too_many_pixels"
    lie = folder / "in" / "lie.mov"
    packed = ("-f", "image2pipe", "-c:v", "png", "-i", folder / "in" / "large.png", "-c", "copy")
    subprocess.run([*FFMPEG, *packed, lie], check=True)
    content = lie.read_bytes()
    size = struct.pack(">HH", 16_000, 16_000)
    assert size in content
    lie.write_bytes(content.replace(size, struct.pack(">HH", 8, 8)))
    with pytest.raises(probe.TooMuch):
        look(folder, "lie.mov")
