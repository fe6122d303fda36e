"""Nodes of devices, with a node that every machine has in the place of a GPU's."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from media_jobs import sandbox
from media_jobs.sandbox import landlock
from media_jobs.sandbox.launch_spec import Limits
from tests.harness.programs import FFMPEG_PATH

LIMITS = Limits(wall_s=20)
# By Landlock, or since it is not there in namespaces of one's own.
_REFUSED = "Permission denied|Read-only file system"
TO_DEVICE = (
    *("-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
    *("-f", "lavfi", "-i", "testsrc2=size=64x64:duration=0.2", "-f", "rawvideo", "/dev/full"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sandbox.prepare(tmp_path / "job")
    return tmp_path / "job"


def test_it_works(folder: Path) -> None:
    used = sandbox.run(FFMPEG_PATH, TO_DEVICE, folder=folder, limits=LIMITS, devices=["/dev/full"])
    assert "No space left on device" in used.stderr


def test_a_device_is_out_of_reach_where_it_is_not_given(folder: Path) -> None:
    used = sandbox.run(FFMPEG_PATH, TO_DEVICE, folder=folder, limits=LIMITS)
    assert re.search(_REFUSED, used.stderr)
    used = sandbox.run(FFMPEG_PATH, TO_DEVICE, folder=folder, limits=LIMITS, devices=["/dev/zero"])
    assert re.search(_REFUSED, used.stderr)


def test_a_device_is_used_in_namespaces_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no Landlock to stand in for them."""
    monkeypatch.setattr(landlock, "version", lambda: (0, "the kernel has no Landlock"))
    monkeypatch.setenv("ALLOW_DEGRADED_SANDBOX", "1")
    used = sandbox.run(FFMPEG_PATH, TO_DEVICE, folder=folder, limits=LIMITS, devices=["/dev/full"])
    assert "No space left on device" in used.stderr


def test_memory_is_bounded_with_a_device_too(folder: Path) -> None:
    few = Limits(wall_s=20, memory_bytes=48 << 20)
    args = (
        *("-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
        *("-f", "lavfi", "-i", "testsrc2=size=3840x2160:duration=1", "-c:v", "libx264"),
        *("-f", "null", "-"),
    )
    used = sandbox.run(FFMPEG_PATH, args, folder=folder, limits=few, devices=["/dev/full"])
    assert used.returncode != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")
def test_the_group_of_a_device_is_kept(folder: Path) -> None:
    """As nodes are that "render" alone may use."""
    node = folder / "renderD128"
    node.write_bytes(bytes(6))
    os.chown(node, 0, 44)
    node.chmod(0o660)
    args = (
        *("-hide_banner", "-nostdin", "-loglevel", "error"),
        *("-f", "rawvideo", "-video_size", "2x2", "-i", "renderD128", "-f", "null", "-"),
    )
    without = sandbox.run(FFMPEG_PATH, args, folder=folder, limits=LIMITS)
    assert "Permission denied" in without.stderr
    used = sandbox.run(FFMPEG_PATH, args, folder=folder, limits=LIMITS, devices=[str(node)])
    assert used.returncode == 0, used.stderr
