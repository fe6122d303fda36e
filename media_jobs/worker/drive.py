"""The operation of an attempt, driven through its commands on the device where it was placed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings

from media_jobs.ffmpeg import hardware
from media_jobs.ffmpeg.command import Command, OutputFile
from media_jobs.ffmpeg.devices import Cpu, Device
from media_jobs.host import devices
from media_jobs.models.job import Lane
from media_jobs.operations import core
from media_jobs.planning.placement import Placement
from media_jobs.planning.plan import media_of
from media_jobs.worker.answers import Answers
from media_jobs.worker.executor import CommandLimits, Executor, Failed, Sink
from media_jobs.worker.progress import Meter
from media_jobs.worker.receipt import Receipt

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drive:
    """``outputs`` is what the operation has left in the folder."""

    operation: core.Operation
    answers: Answers
    meter: Meter
    receipt: Receipt
    outputs: list[OutputFile] = field(default_factory=list)

    def run(self, placement: Placement) -> core.Result | None:
        """Do it where it was placed, and on the CPU where the GPU fails. Raises `Failed`."""
        if placement.reason:
            return self._fall_back(placement.gpu, placement.reason)
        failure, result = None, None
        try:
            result = self._run_on(placement.device)
        except Failed as failed:
            failure = failed.failure
            if not (failure.gpu and self.receipt.device == "gpu"):
                raise
        if self.receipt.device == "gpu":
            placement.note(failure)
        if failure is not None:
            self.answers.watch()  # a job that is to be canceled does not begin anew
            return self._fall_back(placement.gpu, f"{failure.code}: {failure.detail}")
        return result

    def _fall_back(self, gpu: str, reason: str) -> core.Result | None:
        """Have the CPU do it in the place of ``gpu``."""
        self.receipt.fallback = {"from": "gpu", "to": "cpu", "reason": reason}
        self.meter.restart()
        extra = {"job": self.answers.job.id, "gpu": gpu, "reason": reason}
        logger.warning("A job falls back to the CPU", extra=extra)
        return self._run_on(Cpu())

    def _run_on(self, device: Device) -> core.Result | None:
        """Run all that is not answered yet."""
        self.outputs.clear()
        self.receipt.device = "cpu"
        executor = self._executor()

        def execute(position: int, command: Command) -> Any:
            found = self.answers.find(position, command)
            answer = found[0] if found else self._ask(executor, position, command)
            self.meter.finish(command)
            return answer

        media = media_of(self.answers.inputs.sources, device)
        return core.drive(self.operation, media, execute=execute)

    def _ask(self, executor: Executor, position: int, command: Command) -> Any:
        if hardware.uses_gpu(command.args):
            self.receipt.device = "gpu"
        answer = self.answers.inputs.read_by(lambda: executor.execute(command))
        self.outputs.extend(command.outputs)
        self.answers.keep(position, command, answer)
        return answer

    def _executor(self) -> Executor:
        limits = CommandLimits.installed()
        if self.operation.scope == "ffmpeg:custom":
            # A command that a user wrote may be one that never ends, and is not waited for as long.
            wall_s = min(limits.process.wall_s, float(settings.FFMPEG_COMMAND_TIMEOUT_SECONDS))
            limits = replace(limits, process=replace(limits.process, wall_s=wall_s))
        sink = Sink(self.receipt.commands, on_progress=self.meter.working)
        nodes = devices.nodes() if self.answers.job.lane == Lane.GPU else ()
        return Executor(self.answers.folder, limits, sink, nodes)
