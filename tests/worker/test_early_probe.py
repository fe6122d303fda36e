from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock, patch

import psutil
import pytest

from media_jobs import sandbox
from media_jobs.ffmpeg.command import Command, OutputFile
from media_jobs.host import machine, probe
from media_jobs.sandbox.start_barrier import Gate
from media_jobs.worker.early_probe import EarlyProbe
from media_jobs.worker.executor import CommandLimits, Executor, Sink
from tests.harness.media import Samples
from tests.harness.server import eventually

OUTPUT = OutputFile("out/a.mp4", "result", "a.mp4", "video/mp4", 2, frozenset({"video"}))
COPIED = Command(
    ("-y", "-progress", "pipe:1", "-i", "in/0.mp4", "-map", "0:v", "-c", "copy", OUTPUT.path),
    outputs=(OUTPUT,),
)


pytestmark = pytest.mark.usefixtures("namespaces")


@pytest.fixture
def folder(tmp_path: Path, media: Samples) -> Path:
    sandbox.prepare(tmp_path)
    (tmp_path / "in" / "0.mp4").write_bytes(media.path("film").read_bytes())
    return tmp_path


@pytest.fixture(autouse=True)
def _idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is tested at the same time."""
    monkeypatch.setattr(machine, "has_idle_cpu", lambda: True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mock]:
    """Counts the looks, each of which is a real one."""
    probe_in = Mock(wraps=probe.probe_in)
    monkeypatch.setattr(probe, "probe_in", probe_in)
    return probe_in


def run(folder: Path, looks: EarlyProbe) -> None:
    sink = Sink(on_start=looks.prepare, on_last_byte=looks.begin)
    Executor(folder, CommandLimits.installed(), sink).execute(COPIED)


def leave(folder: Path, content: bytes) -> None:
    """Have a file lie where FFmpeg is going to write."""
    (folder / OUTPUT.path).write_bytes(content)
    (folder / OUTPUT.path).chmod(0o666)


def probes() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if child.name() == "ffprobe"]


def is_held() -> bool:
    """Whether there is one that has loaded its libraries and waits: it has no other wait."""
    return any(each.status() == psutil.STATUS_SLEEPING for each in probes())


def have_ended() -> bool:
    return all(each.status() == psutil.STATUS_ZOMBIE for each in probes())


def test_it_works(folder: Path, asked: Mock) -> None:
    with EarlyProbe(folder) as looks:
        run(folder, looks)
        found = looks.info(OUTPUT.path)
        assert not asked.called, "the ffprobe that was held ready did not say it"
    assert found == probe.probe_in(folder, OUTPUT.path)
    assert list((folder / "in").iterdir()) == [folder / "in" / "0.mp4"]


def test_what_was_written_after_the_look_is_looked_at_again(folder: Path, asked: Mock) -> None:
    with EarlyProbe(folder) as looks:
        run(folder, looks)
        (folder / OUTPUT.path).write_bytes((folder / "in" / "0.mp4").read_bytes())
        assert looks.info(OUTPUT.path).has_audio
    assert asked.call_count == 1


def test_a_time_that_was_set_back_hides_nothing(folder: Path, asked: Mock) -> None:
    """Size and time of modification are what FFmpeg likes them to be."""
    output, film = folder / OUTPUT.path, (folder / "in" / "0.mp4").read_bytes()
    with EarlyProbe(folder) as looks:
        run(folder, looks)
        looks._looks[OUTPUT.path].found.result()
        before = output.stat()
        output.write_bytes(film[: before.st_size].ljust(before.st_size, b"\0"))
        os.utime(output, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert output.stat().st_mtime_ns == before.st_mtime_ns
        with contextlib.suppress(probe.Unreadable):
            looks.info(OUTPUT.path)
    assert asked.call_count == 1


def test_an_ffprobe_that_is_held_sees_nothing_before_the_end(folder: Path, asked: Mock) -> None:
    """What lay there while it was started is another file than the one that it describes."""
    leave(folder, b"not yet")
    with EarlyProbe(folder) as looks:
        looks.prepare(COPIED)
        assert eventually(is_held, within_s=10)
        run(folder, looks)
        assert looks.info(OUTPUT.path).video is not None
    assert not asked.called


def test_an_ffprobe_that_was_killed_while_it_was_held_is_replaced(
    folder: Path, asked: Mock
) -> None:
    with EarlyProbe(folder) as looks:
        looks.prepare(COPIED)
        assert eventually(is_held, within_s=10)
        for held in probes():
            held.kill()
        run(folder, looks)
        assert looks.info(OUTPUT.path).video is not None
    assert asked.call_count == 1


def test_one_that_did_not_wait_is_not_believed(folder: Path, asked: Mock) -> None:
    """An FFmpeg that makes no reports looks at once, at what is still being written."""
    leave(folder, (folder / "in" / "0.mp4").read_bytes())
    with EarlyProbe(folder) as looks, patch.object(Gate, "environment", {}):
        looks.prepare(COPIED)
        assert looks._held[OUTPUT.path].result() is not None, "none was started"
        assert eventually(have_ended, within_s=10)
        run(folder, looks)
        assert not looks.info(OUTPUT.path).has_audio
    assert asked.call_count == 1


def test_none_is_started_where_no_cpu_is_idle(
    folder: Path, asked: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "has_idle_cpu", lambda: False)
    with EarlyProbe(folder) as looks:
        run(folder, looks)
        assert looks.info(OUTPUT.path).video is not None
    assert asked.call_count == 1


def test_an_ffprobe_that_is_held_for_nothing_is_ended(folder: Path) -> None:
    with EarlyProbe(folder) as looks:
        looks.prepare(COPIED)
        assert eventually(is_held, within_s=10)
    assert not probes()
    assert list((folder / "in").iterdir()) == [folder / "in" / "0.mp4"]


def test_none_is_held_for_many_outputs(folder: Path) -> None:
    second = replace(OUTPUT, path="out/b.mp4")
    with EarlyProbe(folder) as looks:
        looks.prepare(replace(COPIED, outputs=(OUTPUT, second)))
        assert not probes()


def test_what_was_never_begun_is_looked_at_when_asked_for(folder: Path) -> None:
    with EarlyProbe(folder) as looks:
        assert looks.info("in/0.mp4").video is not None


def test_an_unreadable_output_is_told_as_such(folder: Path) -> None:
    (folder / OUTPUT.path).write_bytes(b"no film at all")
    with EarlyProbe(folder) as looks:
        looks.begin(COPIED)
        with pytest.raises(probe.Unreadable):
            looks.info(OUTPUT.path)


def test_a_missing_output_is_not_looked_at(folder: Path, asked: Mock) -> None:
    with EarlyProbe(folder) as looks:
        looks.begin(COPIED)
    assert not asked.called


def test_a_look_that_nobody_wants_is_ended_with_the_attempt(folder: Path) -> None:
    """An attempt that was canceled leaves no process in its folder, and waits for none."""
    (folder / OUTPUT.path).write_bytes((folder / "in" / "0.mp4").read_bytes())
    with EarlyProbe(folder) as looks:
        looks.begin(COPIED)
        found = looks._looks[OUTPUT.path].found
    assert found.cancelled() or isinstance(found.exception(), InterruptedError)
