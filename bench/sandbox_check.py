"""What the sandbox costs: a process's start, and an encode's CPU time."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bench.figure import Figure
from media_jobs import sandbox
from media_jobs.host import scratch
from tests.harness.programs import FFMPEG_PATH, FFPROBE_PATH

_STARTS = 30
_START_MS = 25.0
_ENCODES = 7
_CPU_SHARE = 0.02
_LIMITS = sandbox.Limits(wall_s=120)
_VERSION = ["-version"]
_ENCODE = [
    *("-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25:duration=5"),
    *("-c:v", "libx264", "-threads", "2", "-f", "null", "-"),
]


def start() -> Figure:
    """The same process inside and outside, in turns: what counts is what each pair differs by."""
    with scratch.passing("bench") as folder:
        pairs = [
            (_ms(lambda: _inside(FFPROBE_PATH, _VERSION, folder)), _bare_ms())
            for _ in range(_STARTS)
        ]
    ours, bare = (statistics.median(side) for side in zip(*pairs, strict=True))
    cost_ms = statistics.median(inside - outside for inside, outside in pairs)
    has_namespaces = sandbox.report().layers["namespaces"].active
    return Figure(
        "a process in the sandbox",
        f"{ours:.0f} ms",
        f"{bare:.0f} ms, the same outside",
        ours / bare,
        f"{cost_ms:+.0f} ms, {'with' if has_namespaces else 'without'} namespaces",
        is_met=cost_ms <= _START_MS,
    )


def encode() -> Figure:
    """User and system time of one encode, inside and outside in turns."""
    with scratch.passing("bench") as folder:
        pairs = [
            (_inside(FFMPEG_PATH, _ENCODE, folder).cpu_seconds, _bare_cpu_s())
            for _ in range(_ENCODES)
        ]
    ours, bare = (statistics.median(side) for side in zip(*pairs, strict=True))
    share = statistics.median(inside / outside for inside, outside in pairs) - 1
    return Figure(
        "CPU time of an encode in the sandbox",
        f"{ours:.2f} s",
        f"{bare:.2f} s, the same outside",
        ours / bare,
        f"{share:+.1%}",
        is_met=share <= _CPU_SHARE,
    )


def _inside(program: str, args: list[str], folder: Path) -> sandbox.Finished:
    done = sandbox.run(program, args, folder=folder, limits=_LIMITS)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done


def _bare_ms() -> float:
    return _ms(lambda: subprocess.run([FFPROBE_PATH, *_VERSION], check=True, capture_output=True))


def _ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _bare_cpu_s() -> float:
    pid = os.posix_spawn(FFMPEG_PATH, [FFMPEG_PATH, *_ENCODE], os.environ)
    _, status, used = os.wait4(pid, 0)
    if status != 0:
        raise RuntimeError(f"ffmpeg ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime
