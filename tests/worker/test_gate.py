from __future__ import annotations

import os
from pathlib import Path

import pytest

from media_jobs import sandbox
from media_jobs.sandbox.start_barrier import Gate
from tests.harness.media import Samples

LIMITS = sandbox.Limits(wall_s=20)
LOOK = ("-v", "error", "-show_entries", "format=nb_streams", "-of", "csv", "in/0.mp4")


pytestmark = pytest.mark.usefixtures("namespaces")


@pytest.fixture
def folder(tmp_path: Path, media: Samples) -> Path:
    sandbox.prepare(tmp_path)
    (tmp_path / "in" / "0.mp4").write_bytes(media.path("film").read_bytes())
    return tmp_path


@pytest.fixture
def gate(folder: Path) -> Gate:
    return Gate(folder)


def test_who_waits_there_does_its_work_once_it_is_open(folder: Path, gate: Gate) -> None:
    waiting = sandbox.start("ffprobe", LOOK, folder=folder, limits=LIMITS, gate=gate)
    with pytest.raises(TimeoutError):
        waiting.wait(1)
    gate.open()
    done = sandbox.finish(waiting)
    assert (done.returncode, done.stdout) == (0, b"format,2\n")
    assert done.stderr == ""
    assert gate.was_passed()


def test_who_did_not_come_by_did_not_pass(folder: Path, gate: Gate) -> None:
    done = sandbox.run("ffprobe", LOOK, folder=folder, limits=LIMITS)
    gate.open()
    assert done.returncode == 0
    assert not gate.was_passed()


def test_an_unopened_gate_was_not_passed(gate: Gate) -> None:
    assert not gate.was_passed()


def test_a_closed_one_is_gone(folder: Path, gate: Gate) -> None:
    gate.open()
    gate.close()
    gate.close()
    assert list((folder / "in").iterdir()) == [folder / "in" / "0.mp4"]


def test_who_waits_for_ever_is_ended_by_its_limit(folder: Path, gate: Gate) -> None:
    limits = sandbox.Limits(wall_s=1)
    waiting = sandbox.start("ffprobe", LOOK, folder=folder, limits=limits, gate=gate)
    assert waiting.wait(10).returncode == -9
    assert waiting.timed_out
    waiting.stdout.close()
    waiting.stderr.close()


def test_the_program_that_writes_meanwhile_can_not_tell_anything_there(
    folder: Path, gate: Gate
) -> None:
    gate.open()
    args = ["-v", "error", "-y", "-f", "lavfi", "-i", "sine=d=1", "-f", "wav", gate.place.path]
    done = sandbox.run("ffmpeg", args, folder=folder, limits=LIMITS)
    assert done.returncode != 0
    assert "Permission denied" in done.stderr
    assert not gate.was_passed()


@pytest.mark.skipif(os.geteuid() != 0, reason="the sandbox has no user of its own here")
def test_the_program_that_writes_meanwhile_can_not_open_it(folder: Path, gate: Gate) -> None:
    """Whoever reads a FIFO lets in who waits to write there."""
    args = ["-v", "error", "-f", "u8", "-i", gate.place.path, "-f", "null", "-"]
    done = sandbox.run("ffmpeg", args, folder=folder, limits=LIMITS)
    assert done.returncode != 0
    assert "Permission denied" in done.stderr
