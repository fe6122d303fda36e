"""Runs an operation for real, in the sandbox, as a worker does, but with no database."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.functional import cached_property

from media_jobs import sandbox
from media_jobs.ffmpeg import verify
from media_jobs.ffmpeg.command import Command, OutputFile
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.operations.core import (
    Media,
    Operation,
    Result,
    Source,
    find,
    media_params,
    media_refs,
    parse,
)
from media_jobs.operations.core.driver import drive
from media_jobs.worker.executor import CommandLimits, Executor
from tests.harness.measure import probe
from tests.harness.media import Samples

STAND_IN = "file_0"


@dataclass
class Done:
    folder: Path
    result: Result | None = None
    commands: list[Command] = field(default_factory=list)

    @property
    def outputs(self) -> list[OutputFile]:
        return [output for command in self.commands for output in command.outputs]

    @property
    def paths(self) -> list[Path]:
        return [self.folder / output.path for output in self.outputs]

    @property
    def path(self) -> Path:
        return self.paths[0]

    @cached_property
    def info(self) -> MediaInfo:
        return probe(self.path)

    @property
    def data(self) -> dict[str, Any]:
        assert self.result is not None
        return self.result.data


def declared(name: str, media: Mapping[str, str], params: Mapping[str, Any]) -> Operation:
    """The operation with a stand-in for every sample; their roles are the media's keys."""
    stand_ins = dict.fromkeys(media, STAND_IN)
    return parse(name, {**media_params(find(name), stand_ins), **params})


def sources_of(op: Operation, media: Mapping[str, str], samples: Samples) -> dict[str, Source]:
    roles = [ref.role for ref in media_refs(op)]
    assert sorted(roles) == sorted(media)
    found = {}
    for place, role in enumerate(roles):
        sample = samples(media[role])
        path = f"in/{place}{sample.path.suffix}"
        found[role] = Source(path, sample.info, sample.path.name, role)
    return found


def run(
    samples: Samples, folder: Path, name: str, media: Mapping[str, str] | str, **params: Any
) -> Done:
    media = {"input": media} if isinstance(media, str) else media
    op = declared(name, media, params)
    sources = sources_of(op, media, samples)
    bring(sources, {role: samples.path(sample) for role, sample in media.items()}, folder)
    done = Done(folder)

    def execute(_: int, command: Command) -> Any:
        done.commands.append(command)
        return run_command(command, folder)

    done.result = drive(op, Media(sources), execute=execute)
    for output in done.outputs:
        path = folder / output.path
        info = probe(path) if output.streams is not None else None
        assert verify.check(output, info, path.stat().st_size).problems == ()
    return done


def bring(sources: Mapping[str, Source], paths: Mapping[str, Path], folder: Path) -> None:
    """Lay a job's folder out, with the files at ``paths`` as its sources."""
    sandbox.prepare(folder)
    for role, source in sources.items():
        shutil.copy(paths[role], folder / source.path)
        (folder / source.path).chmod(0o644)


def run_command(command: Command, folder: Path) -> Any:
    """Run it for real and give its answer, as JSON: so it is kept between attempts."""
    executor = Executor(folder, CommandLimits(sandbox.Limits(wall_s=120)))
    return json.loads(json.dumps(executor.execute(command)))
