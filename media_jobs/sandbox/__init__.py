"""Start FFmpeg where it can read one job's folder, write two folders in it, and nothing else.

The only module that starts a process on media. What a file can make FFmpeg do is bounded by the
kernel (Landlock, seccomp, limits, a user of its own), not by its command line: an uploaded
playlist can name any file or address. No Django here: the command line uses it without a database.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from media_jobs.sandbox import allowed_paths, layers
from media_jobs.sandbox.allowed_paths import Private
from media_jobs.sandbox.canaries import canaries_up
from media_jobs.sandbox.launch_spec import Limits
from media_jobs.sandbox.layers import Layer, Probe, SandboxReport, SandboxUnavailable, report
from media_jobs.sandbox.process import Ended, Process
from media_jobs.sandbox.spawn import LAUNCHER, Script, Start, spawn
from media_jobs.sandbox.start_barrier import Gate

__all__ = [
    "Ended",
    "Finished",
    "Layer",
    "Limits",
    "Probe",
    "Process",
    "Program",
    "SandboxReport",
    "SandboxUnavailable",
    "finish",
    "identity",
    "prepare",
    "report",
    "run",
    "selftest",
    "start",
]

Program = Literal["ffmpeg", "ffprobe", "fc-list"]

_HERE: Final = Path(__file__).parent
_PROBE: Final = Script(_HERE / "escape_probe.py", needs=_HERE.parent)
_STDOUT_BYTES: Final = 16 << 20
_STDERR_BYTES: Final = 64 << 10
_SELFTEST_S: Final = 20.0
_WATCH_S: Final = 0.5


@dataclass(frozen=True)
class Finished:
    returncode: int
    stdout: bytes
    stderr: str
    cpu_seconds: float
    wall_seconds: float
    timed_out: bool
    out_of_memory: bool = False
    stdout_truncated: bool = False


def prepare(folder: Path) -> None:
    """Make ``folder`` with ``in``, ``out`` and ``tmp``, so that the sandbox's user can work there.

    Files placed in ``in`` must be readable by that user (mode 0644, or a link to such a file).
    """
    uid = layers.target_uid()
    for path, writable in (
        (folder, False),
        (folder / "in", False),
        (folder / "out", True),
        (folder / "tmp", True),
    ):
        path.mkdir(parents=True, exist_ok=True)
        if uid is not None:
            os.chown(path, uid if writable else -1, uid)
        path.chmod(0o700 if writable or uid is None else 0o750)


def start(  # noqa: PLR0913 -- one process has this many facts
    program: Program,
    args: Sequence[str],
    *,
    folder: Path,
    limits: Limits,
    devices: Sequence[str] = (),
    gate: Gate | None = None,
) -> Process:
    """Start ``program`` in ``folder``, which ``prepare`` made; ``args`` name files relative to it.

    ``devices`` are nodes of GPUs that it may use besides. At a ``gate`` it waits before it begins.
    Returns once the program runs. It dies with this process; within namespaces with the *thread*
    that calls this: call it from one that lives until the end. Raises SandboxUnavailable when a
    required layer is missing.
    """
    layers.require()
    executable = _executable(program)
    seen = allowed_paths.places(executable, devices)
    environment: Mapping[str, str] = {}
    if gate is not None:
        seen.append(gate.place)
        environment = gate.environment
    words = [executable, *args]
    return spawn(Start(LAUNCHER, words, folder, limits, seen, devices, environment=environment))


def run(  # noqa: PLR0913 -- one process has this many facts
    program: Program,
    args: Sequence[str],
    *,
    folder: Path,
    limits: Limits,
    devices: Sequence[str] = (),
    watch: Callable[[], object] = lambda: None,
) -> Finished:
    """Run ``program`` to its end; keeps the first 16 MiB of stdout, the last 64 KiB of stderr.

    ``watch`` is called at least twice a second; what it raises kills the process and comes through.
    """
    return finish(start(program, args, folder=folder, limits=limits, devices=devices), watch)


def selftest(folder: Path, neighbour: Path) -> list[Probe]:
    """Try to escape from inside the sandbox, in every way that it claims to block.

    ``neighbour`` is the folder of another job, under the same user. Tried are also the places in
    which this installation really keeps its data.
    """
    allowed_paths.look_again()
    layers.require()
    prepare(folder)
    prepare(neighbour)
    limits = Limits(wall_s=_SELFTEST_S)
    private = [*allowed_paths.kept(), Private("other_job", neighbour / "out")]
    with canaries_up(private) as canaries:
        told, seen = [json.dumps(canaries.told)], allowed_paths.places(sys.executable, ())
        inherited = (canaries.descriptor,)
        process = spawn(Start(_PROBE, told, folder, limits, seen, inherited=inherited))
        finished = finish(process)
        reached = canaries.were_reached()
    *lines, last = finished.stdout.decode().splitlines() or [""]
    if last != '"end"':
        raise SandboxUnavailable(f"the self-test did not finish: {finished.stderr}")
    found = [json.loads(line) for line in lines]
    tried = [Probe(name, blocked=blocked) for name, blocked in found]
    return [*tried, Probe("reach_a_canary", blocked=not reached)]


def identity(program: Program) -> tuple[int, ...]:
    """What is another one where ``program`` was replaced, by an upgrade of the machine, say."""
    found = Path(_executable(program)).stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _executable(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise SandboxUnavailable(f"{program} is not installed")
    return str(Path(found).resolve())


def finish(process: Process, watch: Callable[[], object] = lambda: None) -> Finished:
    """Attend what was started to its end, as `run` does."""
    with process.stdout, process.stderr:
        try:
            out, err = _drain(process, watch)
        except BaseException:
            process.kill()
            process.wait()
            raise
        ended = process.wait()
    return Finished(
        returncode=ended.returncode,
        stdout=bytes(out[:_STDOUT_BYTES]),
        stderr=bytes(err[-_STDERR_BYTES:]).decode(errors="replace"),
        cpu_seconds=ended.cpu_seconds,
        wall_seconds=ended.wall_seconds,
        timed_out=process.timed_out,
        out_of_memory=process.out_of_memory,
        stdout_truncated=len(out) > _STDOUT_BYTES,
    )


def _drain(process: Process, watch: Callable[[], object]) -> tuple[bytearray, bytearray]:
    """Read both pipes as they fill: whichever is left full would stop the process."""
    out, err = bytearray(), bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ, out)
        ready.register(process.stderr, selectors.EVENT_READ, err)
        while ready.get_map():
            watch()
            for key, _ in ready.select(timeout=_WATCH_S):
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    ready.unregister(key.fileobj)
                elif key.data is err:
                    err += chunk
                    del err[: -2 * _STDERR_BYTES]
                elif len(out) <= _STDOUT_BYTES:
                    out += chunk
    return out, err
