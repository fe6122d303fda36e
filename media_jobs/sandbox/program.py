"""Start FFmpeg where it can read one job's folder, write two folders in it, and nothing else."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from media_jobs.sandbox import allowed_paths, layers
from media_jobs.sandbox.launch_spec import Limits
from media_jobs.sandbox.process import Process
from media_jobs.sandbox.spawn import LAUNCHER, Start, spawn

_STDOUT_BYTES: Final = 16 << 20
_STDERR_BYTES: Final = 64 << 10
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


def start(
    program: str,
    args: Sequence[str],
    *,
    folder: Path,
    limits: Limits,
    devices: Sequence[str] = (),
) -> Process:
    """Start ``program`` in ``folder``, which ``prepare`` made; ``args`` name files relative to it.

    ``program`` is a path without links in it, ``devices`` are nodes of GPUs that it may use
    besides. Returns once the program runs. It dies with this process; within namespaces with the
    *thread* that calls this: call it from one that lives until the end. Raises SandboxUnavailable
    when a required layer is missing.
    """
    layers.require()
    seen = allowed_paths.places(program, devices)
    return spawn(Start(LAUNCHER, [program, *args], folder, limits, seen, devices))


def run(  # noqa: PLR0913 -- one process has this many facts
    program: str,
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


def finish(
    process: Process,
    watch: Callable[[], object] = lambda: None,
    *,
    on_stdout: Callable[[bytes], object] | None = None,
    stderr_bytes: int = _STDERR_BYTES,
    watch_s: float = _WATCH_S,
) -> Finished:
    """Attend what was started to its end, as `run` does; the last ``stderr_bytes`` are kept.

    ``on_stdout`` takes each piece of stdout as it comes, and none of it is kept then. ``watch`` is
    called after every wait of at most ``watch_s``, and once more when both pipes are closed.
    """
    with process.stdout, process.stderr:
        try:
            out, err = _drain(process, watch, on_stdout, stderr_bytes, watch_s)
        except BaseException:
            process.kill()
            process.wait()
            raise
        ended = process.wait()
    return Finished(
        returncode=ended.returncode,
        stdout=bytes(out[:_STDOUT_BYTES]),
        stderr=err.decode(errors="replace"),
        cpu_seconds=ended.cpu_seconds,
        wall_seconds=ended.wall_seconds,
        timed_out=process.timed_out,
        out_of_memory=process.out_of_memory,
        stdout_truncated=len(out) > _STDOUT_BYTES,
    )


def _drain(
    process: Process,
    watch: Callable[[], object],
    on_stdout: Callable[[bytes], object] | None,
    stderr_bytes: int,
    watch_s: float,
) -> tuple[bytearray, bytearray]:
    """Read both pipes as they fill: whichever is left full would stop the process."""
    out, err = bytearray(), bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        ready.register(process.stderr, selectors.EVENT_READ)
        while ready.get_map():
            for key, _ in ready.select(timeout=watch_s):
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    ready.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    err += chunk
                    del err[:-stderr_bytes]
                elif on_stdout is not None:
                    on_stdout(chunk)
                elif len(out) <= _STDOUT_BYTES:
                    out += chunk
            watch()
    return out, err
