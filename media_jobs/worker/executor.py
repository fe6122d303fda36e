"""Run the commands of an operation in the sandbox: for a job, a request, a person or a test."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from ffapi_site.lib.room import room_on
from media_jobs import sandbox
from media_jobs.ffmpeg import failures, hardware, words
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.dialect import spelled
from media_jobs.ffmpeg.progress import Lines, Progress, ProgressParser
from media_jobs.host import machine, toolchain
from media_jobs.worker.receipt import CommandLog, Ran
from media_jobs.worker.room_watch import WATCH_S, RoomWatch
from media_jobs.worker.watchdog import Watchdog

# Of stderr: what a command measures is found anywhere in it, why one failed at its end.
_MEASURED_BYTES = 16 << 20
_TAIL_BYTES = 64 << 10


class Failed(Exception):  # noqa: N818 -- what happened to FFmpeg
    """FFmpeg did not do what it was asked for"""

    def __init__(self, failure: failures.Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


@dataclass(frozen=True)
class CommandLimits:
    """What a command may take."""

    process: sandbox.Limits
    stall_s: float = math.inf
    """How long it may neither come forward nor use its CPU."""
    watches_room: bool = False
    """Whether all that it writes together is bounded, by the settings and by the disk's reserve."""

    @classmethod
    def installed(cls, process: sandbox.Limits | None = None) -> CommandLimits:
        """Those of this installation, with ``process`` in the place of its own."""
        process = process or sandbox.Limits(
            wall_s=settings.FFMPEG_TIMEOUT_SECONDS,
            cpu_s=settings.FFMPEG_CPU_SECONDS,
            memory_bytes=settings.FFMPEG_MEMORY_MB << 20,
            output_bytes=settings.MAX_FILE_SIZE_BYTES,
            cpus=machine.cpus_of_slot(),
        )
        return cls(process, settings.FFMPEG_STALL_SECONDS, watches_room=True)


@dataclass(frozen=True)
class Sink:
    """Where goes what is known of a command; what any of these raises kills its processes."""

    log: CommandLog = field(default_factory=CommandLog)
    on_progress: Callable[[Command, Progress | None], object] = lambda *_: None
    """Called at least twice a second, first as soon as FFmpeg runs."""


@dataclass(frozen=True)
class Executor:
    """Runs commands, one after the other, in one scratch folder."""

    folder: Path
    limits: CommandLimits
    sink: Sink = field(default_factory=Sink)
    devices: tuple[str, ...] = ()
    """Nodes of GPUs, for those commands that use one."""

    def execute(self, command: Command) -> Any:
        """Run ``command`` and give its answer. Raises `Failed`, and what the sink raises."""
        with ExitStack() as stack:
            room = None
            if self.limits.watches_room:
                room = RoomWatch(self.folder, stack.enter_context(room_on(self.folder)))
            return self._execute(command, room)

    def _execute(self, command: Command, room: RoomWatch | None) -> Any:
        tried = toolchain.for_command(command)
        args = spelled(command.args, tried.capabilities.version)
        process = sandbox.start(
            tried.build.path(command.program),
            args,
            folder=self.folder,
            limits=self.limits.process,
            devices=self.devices if hardware.uses_gpu(command.args) else (),
        )
        dog = Watchdog(process.pid, self.limits.stall_s)
        done = self._attend(process, command, dog, room)
        if room is not None:
            room.measure()  # what came since the last look
        printed, own = (
            failures.clean(read(done.stderr), str(self.folder)) for read in (words.plain, words.own)
        )
        self.sink.log.add(Ran([command.program, *args], tried, done), printed, own)
        if room is not None and room.failure is not None:
            raise Failed(room.failure)
        if done.returncode != 0:
            raise Failed(self._why(done, dog, own, printed))
        try:
            return command.answer(done.stdout.decode(errors="replace"), done.stderr)
        except words.Unsaid as error:
            raise Failed(failures.UNMEASURED) from error

    def _attend(
        self, process: sandbox.Process, command: Command, dog: Watchdog, room: RoomWatch | None
    ) -> sandbox.Finished:
        reports = _Reports()

        def watch() -> None:
            self.sink.on_progress(command, reports.latest)
            if (room is not None and room.is_over()) or dog.is_hung(reports.latest):
                process.kill()

        with process.stdout, process.stderr:
            try:
                self.sink.on_progress(command, None)  # now that it runs, and not a moment before
                return sandbox.finish(
                    process,
                    watch,
                    on_stdout=reports.feed if command.program == "ffmpeg" else None,
                    stderr_bytes=_MEASURED_BYTES if command.parse else _TAIL_BYTES,
                    watch_s=WATCH_S,
                )
            except BaseException:
                process.kill()
                # What was killed did cost as well: of a job that is canceled, or given back.
                self.sink.log.cpu_seconds += process.wait().cpu_seconds
                raise

    def _why(
        self, done: sandbox.Finished, dog: Watchdog, own: str, printed: str
    ) -> failures.Failure:
        """Say who ended it: we ourselves, the kernel at a limit, or FFmpeg."""
        if done.timed_out:
            return failures.DEADLINE
        if done.out_of_memory:
            return failures.MEMORY_LIMIT
        if dog.found_hung:
            return failures.STALLED
        # FFmpeg tidies up at the soft limit and may be killed for it at the hard one.
        if done.cpu_seconds >= (self.limits.process.cpu_s or math.inf):
            return failures.CPU_LIMIT
        failure = failures.classify(own, done.returncode)
        if failure.code == "ffmpeg_failed":
            return failures.unmarked(printed) or failure
        return failure


class _Reports:
    def __init__(self) -> None:
        self.latest: Progress | None = None
        self._parser = ProgressParser()
        self._lines = Lines()

    def feed(self, chunk: bytes) -> None:
        for line in self._lines.feed(chunk):
            self.latest = self._parser.feed(line) or self.latest
