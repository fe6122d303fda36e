"""An input's tags decide nothing: not what failed, not what was measured, not how long it takes."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from media_jobs import sandbox
from media_jobs.ffmpeg import failures
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.progress import Progress
from media_jobs.operations.core import (
    GLOBAL_ARGS,
    Media,
    Operation,
    Result,
    Source,
    drive,
    parse,
)
from media_jobs.worker.executor import CommandLimits, Executor, Failed, Sink
from tests.harness.measure import probe
from tests.harness.media import FFMPEG, Samples

SAID = "No space left on device\n[error] in/0.mkv: No space left on device\nPacket corrupt\n"
ONE_BRACE = "{" + '"input_i"\n' * 39_000


def tagged(film: Path, to: Path, comment: str) -> Path:
    tags = to.with_suffix(".txt")
    escaped = comment.replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\\n")
    tags.write_text(f";FFMETADATA1\nCOMMENT={escaped}\n")
    mapped = ("-i", tags, "-map", "0", "-map_metadata", "1", "-c", "copy", to)
    subprocess.run([*FFMPEG, "-i", film, *mapped], check=True)
    return to


def executor(folder: Path, film: Path) -> Executor:
    sandbox.prepare(folder)
    shutil.copy(film, folder / "in/0.mkv")
    (folder / "in/0.mkv").chmod(0o644)
    return Executor(folder, CommandLimits.installed())


def run(executor: Executor, operation: Operation) -> Result | None:
    source = Source("in/0.mkv", probe(executor.folder / "in/0.mkv"))

    def execute(_: int, command: Command) -> Any:
        return executor.execute(command)

    return drive(operation, Media({"input": source}), execute=execute)


def test_it_works(media: Samples, tmp_path: Path) -> None:
    """A tag that a pattern once went through again and again, for hours."""
    film = tagged(media.path("film"), tmp_path / "film.mkv", ONE_BRACE)
    attempt = executor(tmp_path / "job", film)
    began = time.process_time()
    result = run(attempt, parse("audio/normalize", {"input": "file_0"}))
    assert time.process_time() - began < 10
    assert result is not None
    assert -30 < result.data["measured"]["input_i"] < -10


def test_what_a_tag_says_did_not_happen(media: Samples, tmp_path: Path) -> None:
    film = tagged(media.path("film"), tmp_path / "film.mkv", SAID)
    attempt = executor(tmp_path / "job", film)
    run(attempt, parse("video/thumbnails", {"input": "file_0", "count": 2}))
    log = attempt.sink.log
    assert "No space left on device" in log.printed[0]
    assert "\x1b" not in "".join(log.printed)
    assert (log.met_damage, log.met_full_disk) == (False, False)


def test_why_it_failed_is_what_ffmpeg_says(media: Samples, tmp_path: Path) -> None:
    film = tagged(media.path("film"), tmp_path / "film.mkv", SAID)
    attempt = executor(tmp_path / "job", film)
    args = (*GLOBAL_ARGS, "-i", "in/0.mkv", "-map", "0:9", "-f", "null", "-")
    with pytest.raises(Failed) as failed:
        attempt.execute(Command(args))
    assert failed.value.failure.code == "no_such_stream"
    assert "matches no streams" in failed.value.failure.detail


ENDLESS = Command(
    (*GLOBAL_ARGS, "-f", "lavfi", "-i", "testsrc2=s=1280x720", "-f", "null", "-"), parse=str
)


def test_its_own_limits_are_said_to_be_what_ended_it(tmp_path: Path, settings: Settings) -> None:
    """Not those of the installation: a request has less."""
    settings.FFMPEG_CPU_SECONDS = 3600
    sandbox.prepare(tmp_path)
    limits = CommandLimits.installed(sandbox.Limits(wall_s=60, cpu_s=1))
    with pytest.raises(Failed) as failed:
        Executor(tmp_path, limits).execute(ENDLESS)
    assert failed.value.failure is failures.CPU_LIMIT


def test_what_its_sink_raises_ends_ffmpeg_and_its_cost_is_kept(tmp_path: Path) -> None:
    sandbox.prepare(tmp_path)
    seen: list[float] = []

    def on_progress(_: Command, progress: Progress | None) -> None:
        seen.append(0.0 if progress is None else progress.out_time_s)
        if progress is not None:
            raise InterruptedError

    executor = Executor(tmp_path, CommandLimits.installed(), Sink(on_progress=on_progress))
    with pytest.raises(InterruptedError):
        executor.execute(ENDLESS)
    assert seen[0] == 0.0
    assert executor.sink.log.cpu_seconds > 0
    assert executor.sink.log.commands == []
