from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from media_jobs.ffmpeg.command import Command, OutputFile
from media_jobs.worker import probe, sandbox
from media_jobs.worker.execution import Executor, Ledger
from media_jobs.worker.look_ahead import LookAhead
from tests.media import Samples

OUTPUT = OutputFile("out/a.mp4", "result", "a.mp4", "video/mp4", 2, frozenset({"video"}))
COPIED = Command(
    ("-progress", "pipe:1", "-i", "in/0.mp4", "-map", "0:v", "-c", "copy", OUTPUT.path),
    outputs=(OUTPUT,),
)


@pytest.fixture
def folder(tmp_path: Path, media: Samples) -> Path:
    sandbox.prepare(tmp_path)
    (tmp_path / "in" / "0.mp4").write_bytes(media.path("film").read_bytes())
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mock]:
    """Counts the looks, each of which is a real one."""
    probe_in = Mock(wraps=probe.probe_in)
    monkeypatch.setattr(probe, "probe_in", probe_in)
    return probe_in


def run(folder: Path, looks: LookAhead) -> None:
    Executor(folder, lambda *_: None, Ledger(), on_written=looks.begin).execute(COPIED)


def test_it_works(folder: Path, asked: Mock) -> None:
    with LookAhead(folder) as looks:
        run(folder, looks)
        assert looks.info(OUTPUT.path) == probe.probe_in(folder, OUTPUT.path)
    assert asked.call_count == 2, "the early look was not taken"


def test_what_was_written_after_the_look_is_looked_at_again(folder: Path, asked: Mock) -> None:
    with LookAhead(folder) as looks:
        run(folder, looks)
        (folder / OUTPUT.path).write_bytes((folder / "in" / "0.mp4").read_bytes())
        assert looks.info(OUTPUT.path).has_audio
    assert asked.call_count == 2


def test_what_was_never_begun_is_looked_at_when_asked_for(folder: Path) -> None:
    with LookAhead(folder) as looks:
        assert looks.info("in/0.mp4").video is not None


def test_an_unreadable_output_is_told_as_such(folder: Path) -> None:
    (folder / OUTPUT.path).write_bytes(b"no film at all")
    with LookAhead(folder) as looks:
        looks.begin(COPIED)
        with pytest.raises(probe.Unreadable):
            looks.info(OUTPUT.path)


def test_a_missing_output_is_not_looked_at(folder: Path, asked: Mock) -> None:
    with LookAhead(folder) as looks:
        looks.begin(COPIED)
    assert not asked.called


def test_a_look_that_nobody_wants_is_ended_with_the_attempt(folder: Path) -> None:
    """An attempt that was canceled leaves no process in its folder, and waits for none."""
    (folder / OUTPUT.path).write_bytes((folder / "in" / "0.mp4").read_bytes())
    with LookAhead(folder) as looks:
        looks.begin(COPIED)
        found = looks._looks[OUTPUT.path].found
    assert found.cancelled() or isinstance(found.exception(), InterruptedError)
