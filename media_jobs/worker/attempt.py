"""One attempt at a job, from its inputs to its published outputs."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.quotas import bounds
from media_jobs.engine import lease, states
from media_jobs.ffmpeg import failures, hardware
from media_jobs.ffmpeg.command import Command, OutputFile
from media_jobs.ffmpeg.devices import Cpu, Device
from media_jobs.ffmpeg.progress import Progress
from media_jobs.host import device_circuit_breaker, devices, machine, scratch, truncation
from media_jobs.host.capabilities import capabilities
from media_jobs.models import Job, JobAttempt, Status
from media_jobs.models.job import Lane
from media_jobs.operations import core
from media_jobs.planning import media_limits, placement
from media_jobs.planning.plan import media_of
from media_jobs.worker import end_transaction, inputs, job_errors, outputs
from media_jobs.worker.answers import Answers
from media_jobs.worker.early_probe import EarlyProbe
from media_jobs.worker.executor import CommandLimits, Executor, Failed, Sink
from media_jobs.worker.heartbeat import Canceled, Drained, Heartbeat
from media_jobs.worker.kept_result import kept
from media_jobs.worker.progress import Meter
from media_jobs.worker.receipt import CommandLog

logger = logging.getLogger(__name__)

_LONGEST_WAIT_S = 3600.0


@dataclass
class Attempt:
    """What one run of a job gathers on its way."""

    job: Job
    pulse: Heartbeat
    meter: Meter = field(default_factory=Meter)
    log: CommandLog = field(default_factory=CommandLog)
    started: float = field(default_factory=time.monotonic)
    input_bytes: int = 0
    broken: list[str] = field(default_factory=list)
    device: str = ""
    """Where it was done, as far as is known; empty before the first command."""
    fallback: dict[str, str] | None = None

    @property
    def warnings(self) -> list[str]:
        """What the inputs were like; FFmpeg makes of a broken one whatever it can."""
        told = [f"{name} breaks off in the middle: its end is missing" for name in self.broken]
        if self.log.met_damage:
            told.append("parts of the input could not be read; the job's log says which")
        return told

    def on_bytes(self, got: int, of: int | None) -> None:
        self.pulse.beat(self.meter.fetching(got, of))

    def on_progress(self, command: Command, progress: Progress | None) -> None:
        self.pulse.beat(self.meter.working(command, progress))

    def fall_back(self, gpu: str, reason: str) -> None:
        """Have the CPU do it in the place of ``gpu``."""
        self.fallback = {"from": "gpu", "to": "cpu", "reason": reason}
        self.meter = Meter()
        device_circuit_breaker.fell_back(machine.name(), gpu)
        extra = {"job": self.job.id, "gpu": gpu, "reason": reason}
        logger.warning("A job falls back to the CPU", extra=extra)

    def usage(self, output_bytes: int = 0) -> dict[str, Any]:
        return {
            "cpu_seconds": round(self.log.cpu_seconds, 3),
            "wall_seconds": round(time.monotonic() - self.started, 3),
            "input_bytes": self.input_bytes,
            "output_bytes": output_bytes,
        }


def run(job: Job) -> None:
    """Run the attempt that ``states.claim`` has just made of ``job``; whatever happens is a row."""
    try:
        with Heartbeat(job) as pulse:
            _run(Attempt(job, pulse))
    except lease.Lost:
        logger.warning("The attempt lost its lease", extra={"job": job.id})


def _run(attempt: Attempt) -> None:
    job = attempt.job
    try:
        with scratch.folder(scratch.of_attempt(job)) as folder:
            _work(attempt, folder)
    except lease.Lost:
        raise
    except Canceled:
        _end(attempt, Status.CANCELED, "canceled while running")
    except Drained:
        _give_back(attempt, "the slot is stopping", charged=False)
    except Exception as error:  # noqa: BLE001 -- the boundary: it becomes the job's error
        _settle(attempt, error)
    else:
        logger.info("Job completed", extra={"job": job.id, "attempt": job.attempt})


def _work(attempt: Attempt, folder: Path) -> None:
    job = attempt.job
    gathered = inputs.gather(job, folder, attempt.on_bytes)
    attempt.input_bytes = gathered.size_bytes
    watch = attempt.pulse.go_on
    attempt.broken = truncation.names_of_cut(folder, gathered.sources.values(), watch)
    allowed = bounds.in_force(job.tenant_id, job.api_key_id)
    media_limits.check_sources(gathered.sources, allowed)
    operation = core.parse(job.operation, job.params)
    placed = placement.place(job, operation)
    if placed.reason:
        attempt.fall_back(placed.gpu, placed.reason)
    answers = Answers(job, folder, gathered, watch)
    with EarlyProbe(folder) as looks:
        doing = Doing(attempt, folder, operation, answers, looks)
        result = kept(_do(doing, placed))
        made = outputs.keep(job, folder, doing.made, looks, allowed, watch=watch)
        _complete(attempt, made, result)


def _do(doing: Doing, placed: placement.Placement) -> core.Result | None:
    """Do it where it was placed, and on the CPU where the GPU fails."""
    attempt = doing.attempt
    try:
        result = doing.on(placed.device)
    except Failed as failed:
        if not (failed.failure.gpu and attempt.device == "gpu"):
            raise
        attempt.pulse.go_on()  # a job that is to be canceled does not begin anew
        placement.note_failure(placed, failed.failure)
        attempt.fall_back(placed.gpu, f"{failed.failure.code}: {failed.failure.detail}")
        result = doing.on(Cpu())
    if attempt.device == "gpu":
        device_circuit_breaker.succeeded(machine.name(), placed.gpu)
    return result


@dataclass
class Doing:
    """The operation of an attempt on its way; ``made`` is what it has left in the folder."""

    attempt: Attempt
    folder: Path
    operation: core.Operation
    answers: Answers
    looks: EarlyProbe
    made: list[OutputFile] = field(default_factory=list)

    def on(self, device: Device) -> core.Result | None:
        """Run all that is not answered yet. Raises `Failed`."""
        self.made.clear()
        nodes = devices.nodes() if self.attempt.job.lane == Lane.GPU else ()
        sink = Sink(
            self.attempt.log,
            on_start=self.looks.prepare,
            on_progress=self.attempt.on_progress,
            on_last_byte=self.looks.begin,
        )
        executor = Executor(self.folder, _limits_of(self.operation), sink, nodes)
        self.attempt.device = "cpu"

        def execute(position: int, command: Command) -> Any:
            found = self.answers.find(position, command)
            answer = found[0] if found else ask(position, command)
            self.attempt.meter.finish(command)
            return answer

        def ask(position: int, command: Command) -> Any:
            if hardware.uses_gpu(command.args):
                self.attempt.device = "gpu"
            answer = executor.execute(command)
            self.made.extend(command.outputs)
            self.answers.keep(position, command, answer)
            return answer

        media = media_of(self.answers.inputs.sources, device)
        return core.drive(self.operation, media, execute=execute)


def _limits_of(operation: core.Operation) -> CommandLimits:
    """A command that a user wrote may be one that never ends, and is not waited for as long."""
    limits = CommandLimits.installed()
    if operation.scope != "ffmpeg:custom":
        return limits
    wall_s = min(limits.process.wall_s, float(settings.FFMPEG_COMMAND_TIMEOUT_SECONDS))
    return replace(limits, process=replace(limits.process, wall_s=wall_s))


def _complete(attempt: Attempt, made: outputs.Outputs, result: core.Result | None) -> None:
    def write() -> None:
        lease.hold(attempt.job)  # first: a try before may still be on its way
        made.publish(attempt.job)
        _write_receipt(attempt, {"checks": made.checks})
        states.end(
            attempt.job,
            Status.COMPLETED,
            "every output is verified",
            **_at_end(attempt) | {"usage": attempt.usage(made.size_bytes)},
            result=None if result is None else result.data,
            warnings=[*(result.warnings if result else ()), *made.warnings, *attempt.warnings],
            progress={"percent": 100.0, "stage": "done"},
        )

    try:
        end_transaction.commit(attempt.job, write, bear=attempt.pulse.bear)
    except BaseException:
        made.discard()
        raise


def _end(attempt: Attempt, status: Status, reason: str, **values: Any) -> None:
    def write() -> None:
        lease.hold(attempt.job)
        _write_receipt(attempt, {})  # before the end, at which all that is kept is weighed
        states.end(attempt.job, status, reason, **_at_end(attempt) | values)

    end_transaction.commit(attempt.job, write, bear=attempt.pulse.bear)


def _at_end(attempt: Attempt) -> dict[str, Any]:
    usage, device = attempt.usage(), attempt.device
    return {"usage": usage, "device": device, "fallback": attempt.fallback}


def _give_back(attempt: Attempt, reason: str, *, delay_s: float = 0, charged: bool = True) -> None:
    """Queue the job again; what the attempt did cost is on its receipt until the job's end."""

    def write() -> None:
        lease.hold(attempt.job)
        _write_receipt(attempt, {})  # first, as above: it may be the end of a job to be canceled
        at_end = _at_end(attempt)
        states.give_back(attempt.job, reason, delay_s=delay_s, charged=charged, **at_end)

    end_transaction.commit(attempt.job, write, bear=attempt.pulse.bear)


def _write_receipt(attempt: Attempt, more: dict[str, Any]) -> None:
    receipt = {
        "ffmpeg": capabilities().version,
        "commands": attempt.log.commands,
        "device": attempt.device,
        "fallback": attempt.fallback,
        **attempt.usage(),
        **more,
    }
    rows = JobAttempt.objects.filter(job=attempt.job, number=attempt.job.attempt)
    rows.update(receipt=receipt, log="\n".join(attempt.log.printed))


def _settle(attempt: Attempt, error: Exception) -> None:
    """Turn what went wrong into the job's error, or into another attempt where that may help."""
    job = attempt.job
    failure = job_errors.failure_of(error)
    if isinstance(error, outputs.Unverified) and attempt.log.met_full_disk:
        failure = failures.STORAGE_FULL  # FFmpeg ends well where only its last bytes found no room
    extra = {"job": job.id, "attempt": job.attempt, "code": failure.code}
    logger.warning("An attempt failed", extra=extra, exc_info=failure.code == "internal_error")
    if failure.retryable and job.attempt < job.max_attempts:
        _give_back(attempt, f"{failure.code}: tried again later", delay_s=_delay_s(job, failure))
    else:
        _end(attempt, Status.FAILED, failure.code, error=failure.to_json(_parameters(job)))


def _parameters(job: Job) -> Collection[str]:
    """What can be asked for, so that nobody is told to change what is not there."""
    operation = core.REGISTRY.get(job.operation)
    return operation.model_fields if operation else ()


def _delay_s(job: Job, failure: failures.Failure) -> float:
    """Doubles with every attempt, with jitter so that jobs that failed together part.

    What a server asked for counts where it is longer, up to an hour.
    """
    own_s = float(settings.JOB_RETRY_DELAY) * 2.0 ** (job.attempt - 1)
    jitter = random.uniform(0.8, 1.2)  # noqa: S311 -- not a secret
    return max(own_s * jitter, min(failure.retry_after_s, _LONGEST_WAIT_S))
