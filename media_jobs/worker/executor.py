from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from django.conf import settings

from ffapi_site.lib.room import room_on
from ffapi_site.lib.shorten import without_middle
from media_jobs import sandbox
from media_jobs.ffmpeg import failures, hardware, verify, words
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.progress import Lines, Progress, ProgressParser
from media_jobs.host import machine
from media_jobs.models.attempt import LOG_BYTES
from media_jobs.worker.room_watch import WATCH_S, RoomWatch
from media_jobs.worker.watchdog import Watchdog

_KEEP_BYTES = 16 << 20
_TAIL_BYTES = 64 << 10


class Failed(Exception):  # noqa: N818 -- what happened to FFmpeg
    """FFmpeg did not do what it was asked for"""

    def __init__(self, failure: failures.Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


@dataclass
class Ledger:
    """What the commands of an attempt were and cost."""

    commands: list[dict[str, object]] = field(default_factory=list)
    cpu_seconds: float = 0.0
    log: list[str] = field(default_factory=list)
    met_damage: bool = False
    met_full_disk: bool = False

    def add(self, command: Command, ended: sandbox.Ended, log: str, own: str) -> None:
        """``log`` is all that was printed, ``own`` what of it are FFmpeg's own words."""
        argv = [command.program, *command.args]
        self.commands.append(
            {"argv": argv, "returncode": ended.returncode, "seconds": round(ended.wall_seconds, 3)}
        )
        self.cpu_seconds += ended.cpu_seconds
        told = f"$ {' '.join(argv)}\n{log.strip()}\n"
        self.log.append(without_middle(told, LOG_BYTES))
        self.met_damage |= verify.tells_of_damage(own)
        self.met_full_disk |= failures.tells_of_full_disk(own)


@dataclass
class _Pipe:
    keep_bytes: int
    data: bytearray = field(default_factory=bytearray)

    def read(self, stream: IO[bytes]) -> bytes:
        chunk = os.read(stream.fileno(), 1 << 16)
        self.data += chunk
        del self.data[: -self.keep_bytes]
        return chunk


@dataclass(frozen=True)
class Executor:
    """Runs commands in one scratch folder, telling ``watch`` at least twice a second how far.

    ``watch`` may raise: then the process group is killed and the exception goes on.
    """

    folder: Path
    watch: Callable[[Command, Progress | None], None]
    ledger: Ledger
    devices: tuple[str, ...] = ()
    """Nodes of GPUs, for those commands that use one."""
    limits: sandbox.Limits | None = None
    """Of each process; None: the installation's."""
    on_running: Callable[[Command], None] = lambda _: None
    """Called when FFmpeg has been started."""
    on_written: Callable[[Command], None] = lambda _: None
    """Called when FFmpeg says that it has written its last byte; it still runs then."""

    def execute(self, command: Command) -> object:
        """Run ``command`` and give what its ``parse`` makes of the output. Raises `Failed`."""
        with room_on(self.folder) as room:
            return self._execute(command, RoomWatch(self.folder, room))

    def _execute(self, command: Command, written: RoomWatch) -> object:
        limits = self.limits or installed_limits()
        process = sandbox.start(
            command.program,
            command.args,
            folder=self.folder,
            limits=limits,
            devices=self.devices if hardware.uses_gpu(command.args) else (),
        )
        dog = Watchdog(process.pid, settings.FFMPEG_STALL_SECONDS)
        with process.stdout, process.stderr:
            try:
                stdout, stderr = self._attend(process, command, dog, written)
            except BaseException:
                process.kill()
                # What was killed did cost as well: of a job that is canceled, or given back.
                self.ledger.cpu_seconds += process.wait().cpu_seconds
                raise
            ended = process.wait()
            written.measure()  # what came since the last look
        told, own = (
            failures.clean(read(stderr), str(self.folder)) for read in (words.plain, words.own)
        )
        self.ledger.add(command, ended, told, own)
        if written.failure is not None:
            raise Failed(written.failure)
        if ended.returncode != 0:
            raise Failed(_why(process, ended, dog, own, told))
        if command.parse is None:
            return None
        try:
            return command.parse(stderr if command.program == "ffmpeg" else stdout)
        except words.Unsaid as error:
            raise Failed(failures.UNMEASURED) from error

    def _attend(
        self, process: sandbox.Process, command: Command, dog: Watchdog, written: RoomWatch
    ) -> tuple[str, str]:
        """Drain both pipes until the end; FFmpeg's progress comes on stdout."""
        out = _Pipe(_KEEP_BYTES if command.program == "ffprobe" else _TAIL_BYTES)
        err = _Pipe(_KEEP_BYTES if command.parse else _TAIL_BYTES)
        reports = _Reports()
        self.watch(command, None)  # now that it runs, and not a moment before
        self.on_running(command)
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ, out)
            ready.register(process.stderr, selectors.EVENT_READ, err)
            while ready.get_map():
                for key, _ in ready.select(timeout=WATCH_S):
                    stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
                    chunk = key.data.read(stream)
                    if not chunk:
                        ready.unregister(stream)
                    elif key.data is out and reports.feed(chunk):
                        self.on_written(command)
                self.watch(command, reports.latest)
                if written.is_over() or dog.is_hung(reports.latest):
                    process.kill()
        return out.data.decode(errors="replace"), err.data.decode(errors="replace")


def installed_limits() -> sandbox.Limits:
    return sandbox.Limits(
        wall_s=settings.FFMPEG_TIMEOUT_SECONDS,
        cpu_s=settings.FFMPEG_CPU_SECONDS,
        memory_bytes=settings.FFMPEG_MEMORY_MB << 20,
        output_bytes=settings.MAX_FILE_SIZE_BYTES,
        cpus=machine.cpus_of_slot(),
    )


def _why(
    process: sandbox.Process, ended: sandbox.Ended, dog: Watchdog, own: str, printed: str
) -> failures.Failure:
    """Say who ended it: we ourselves, the kernel at a limit, or FFmpeg."""
    if process.timed_out:
        return failures.DEADLINE
    if process.out_of_memory:
        return failures.MEMORY_LIMIT
    if dog.found_hung:
        return failures.STALLED
    # FFmpeg tidies up at the soft limit and may be killed for it at the hard one.
    if ended.cpu_seconds >= settings.FFMPEG_CPU_SECONDS:
        return failures.CPU_LIMIT
    failure = failures.classify(own, ended.returncode)
    if failure.code == "ffmpeg_failed" and failures.tells_of_lacking_memory(printed):
        return failures.MEMORY_LIMIT
    return failure


class _Reports:
    def __init__(self) -> None:
        self.latest: Progress | None = None
        self._parser = ProgressParser()
        self._lines = Lines()

    def feed(self, chunk: bytes) -> bool:
        """Tell whether the last report is among what was fed."""
        fed = [self._parser.feed(line) for line in self._lines.feed(chunk)]
        found = [report for report in fed if report is not None]
        self.latest = found[-1] if found else self.latest
        return any(report.is_last for report in found)
