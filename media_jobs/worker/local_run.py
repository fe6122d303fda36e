"""Run an operation on files of this machine, in the sandbox, with no job and no database."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from media_jobs import sandbox
from media_jobs.ffmpeg import verify
from media_jobs.ffmpeg.command import Command, OutputFile
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.host import probe, toolchain
from media_jobs.host.capabilities import capabilities
from media_jobs.operations.core import (
    Media,
    Result,
    Source,
    drive,
    find,
    media_params,
    media_refs,
    parse,
)
from media_jobs.surfaces import cli
from media_jobs.worker.executor import CommandLimits, Executor, Failed

_LIMITS = CommandLimits(sandbox.Limits(wall_s=24 * 3600))


class Stopped(Exception):  # noqa: N818 -- what happened
    """FFmpeg could not do it"""


@dataclass
class LocalRun:
    """``folder`` is a scratch folder of the run's own; ``outputs`` lie in it after the call."""

    folder: Path
    say: Callable[[str], object]
    outputs: list[OutputFile] = field(default_factory=list)

    def __call__(
        self, name: str, files: Sequence[str], options: Mapping[str, Any]
    ) -> Result | None:
        """Raise ``InvalidParams``, ``InvalidParamsGroup`` or ``Stopped``."""
        operation = find(name)
        given = {key: options.get(key) for key in operation.model_fields}
        by_role = cli.share_out(operation, files)
        stand_ins = {role: f"file_{place}" for place, role in enumerate(by_role)}
        op = parse(name, cli.params_of(operation, given) | media_params(operation, stand_ins))
        sandbox.prepare(self.folder)
        sources = {
            ref.role: self._bring(ref.role, Path(file), place)
            for place, (ref, file) in enumerate(zip(media_refs(op), by_role.values(), strict=True))
        }
        media = Media(sources, capabilities=capabilities())
        try:
            result = drive(op, media, execute=self._execute)
        except Failed as failed:
            raise Stopped(f"{failed.failure.title}: {failed.failure.detail}") from failed
        except toolchain.Lacking as lacking:
            raise Stopped(lacking.detail) from lacking
        for output in self.outputs:
            self._verify(output)
        return result

    def _bring(self, role: str, file: Path, place: int) -> Source:
        path = f"in/{place}{file.suffix}"
        try:
            shutil.copyfile(file, self.folder / path)
        except OSError as error:
            raise Stopped(f"{file}: {error.strerror}") from error
        (self.folder / path).chmod(0o644)  # for the sandbox's user
        return Source(path, self._probe(path, file.name), file.name, role)

    def _probe(self, path: str, name: str) -> MediaInfo:
        try:
            return probe.probe_in(self.folder, path)
        except probe.Unreadable as unreadable:
            raise Stopped(f"{name}: {unreadable.detail}") from unreadable

    def _execute(self, _: int, command: Command) -> Any:
        self.say(f"{command.stage} …")
        answer = Executor(self.folder, _LIMITS).execute(command)
        self.outputs += command.outputs
        return answer

    def _verify(self, output: OutputFile) -> None:
        path = self.folder / output.path
        size_bytes = path.stat().st_size if path.exists() else 0
        checks_streams = size_bytes and output.streams is not None
        info = self._probe(output.path, output.name) if checks_streams else None
        problems = verify.check(output, info, size_bytes).problems
        if problems:
            raise Stopped(f"{output.name}: {'; '.join(problems)}")
