from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.harness.measure import probe
from tests.harness.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_it_works(folder: Path, tmp_path: Path) -> None:
    """The receipt's facts are those that ffprobe finds in the file that it names.

    No program of the machine is needed for it.
    """
    without = {"PATH": str(tmp_path)}
    with Server.start(folder, command="demo --once", settings=without) as demo:
        told = demo.output.read()
        assert demo.process.wait(30) == 0, told
        assert demo.processes() == []
    output = _with_hash(folder / "media", _said(told, r"sha256 +([0-9a-f]{64})"))
    info = probe(output)
    assert info.video is not None
    assert (info.video.codec, info.video.height, info.video.fps) == ("h264", 720, 25)
    assert [stream.codec for stream in info.audio] == ["aac"]
    assert info.duration_s == pytest.approx(12, abs=0.1)
    facts = _said(told, r"output +(.*)")
    assert "h264 + aac, 1280x720, 25 fps, 12.0" in facts
    assert f"{output.stat().st_size / 1e6:.1f} MB" in facts
    assert re.search(r"^login: demo  password: \S+$", told, re.MULTILINE)
    assert re.search(r"^api key: ffapi_\S+$", told, re.MULTILINE)


def _said(told: str, pattern: str) -> str:
    found = re.search(pattern, told)
    assert found, told
    return found[1]


def _with_hash(folder: Path, sha256: str) -> Path:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return next(p for p in files if hashlib.sha256(p.read_bytes()).hexdigest() == sha256)
