"""The figures: each against its yardstick, measured in the same run on the same machine."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from bench.client import Client, compared, seconds, side_by_side
from bench.dispatch import p95, told_of
from bench.figure import Figure
from bench.site import Site
from media_jobs.events.change_feed import CHANNEL
from media_jobs.models import Job, JobAttempt
from tests.harness.programs import FFMPEG_PATH, FFPROBE_PATH

_SHORT_JOBS = 15
_TOLD_WITHIN_S = 0.05
_PROBES = 100
_AT_A_TIME = 2
_SMALL_JOBS = 200
_OVERHEAD_S, _LONGEST_OVERHEAD_S = 0.05, 0.1
_RATE_OF_XARGS = 0.85
_RATE_OF_DEBIANS_PROBES = 2.0


def short_job(site: Site, clip: Path) -> Figure:
    """From the POST to the commit that completes the job, against the same argv at a prompt."""
    client = Client.to(site.port, site.key)
    body = {"input": client.upload(clip), "output_format": "mp4", "resolution": "360p"}

    def job() -> str:
        done = client.post("/v1/transcode", body, Prefer="wait=60")
        if done["status"] != "completed":
            raise RuntimeError(f"the job is {done['status']}: {done['error']}")
        return str(done["id"])

    with _at_a_prompt(job(), clip) as (argv, folder):

        def encode(program: str) -> None:
            command = [program, *argv[1:]]
            subprocess.run(
                command, cwd=folder, check=True, stdin=subprocess.DEVNULL, capture_output=True
            )

        with told_of(CHANNEL) as changes:
            rounds = [
                _round(job, partial(encode, FFMPEG_PATH), changes) for _ in range(_SHORT_JOBS)
            ]
        of_machine = shutil.which("ffmpeg")
        machines_s = [seconds(partial(encode, of_machine)) for _ in rounds] if of_machine else []
    ours, bare, answered = (median(times) for times in zip(*rounds, strict=True))
    late = p95([took - alone for took, alone, _ in rounds])
    of_machine_told = f"; {ours / median(machines_s):.2f} of the machine's" if machines_s else ""
    return Figure(
        "a short job: 4 s of 720p to 360p",
        f"{ours * 1000:.0f} ms",
        f"{bare * 1000:.0f} ms, ffmpeg with the same argv",
        ours / bare,
        f"{(ours - bare) * 1000:+.0f} ms, p95 {late * 1000:+.0f}; "
        f"with its answer {(answered - bare) * 1000:+.0f} ms{of_machine_told}",
        is_met=ours - bare <= _OVERHEAD_S
        and late <= _LONGEST_OVERHEAD_S
        and (not machines_s or ours <= median(machines_s)),
    )


def _round(
    job: Callable[[], object], encode: Callable[[], object], changes: list[float]
) -> tuple[float, float, float]:
    """Give the seconds to the job's completion, of FFmpeg alone, and to the job's answer."""
    changes.clear()
    began = time.monotonic()
    answered = seconds(job)
    time.sleep(_TOLD_WITHIN_S)
    return changes[-1] - began, seconds(encode), answered


@contextmanager
def _at_a_prompt(job_id: str, clip: Path) -> Iterator[tuple[list[str], Path]]:
    """Give the first command of a job, and a folder where it can be run by hand."""
    argv: list[str] = JobAttempt.objects.get(job_id=job_id).receipt["commands"][0]["argv"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "out").mkdir()
        source = next(argument for argument in argv if argument.startswith("in/"))
        shutil.copy(clip, folder / source)
        yield argv, folder


def small_jobs(site: Site, clip: Path) -> Figure:
    """Many small jobs at once, against as many processes at a prompt."""
    clients = [Client.to(site.port, site.key) for _ in range(_AT_A_TIME)]
    params = {"input": clients[0].upload(clip), "resolution": {"width": 320, "height": 180}}
    body = {"operation": "transcode", "params": params, "tags": ["small"]}
    each = _SMALL_JOBS // _AT_A_TIME

    def work() -> None:
        side_by_side(clients, each, lambda client: client.post("/v1/jobs", body))
        while Job.objects.filter(tags=["small"], finished_at=None).exists():
            time.sleep(0.1)

    ours = seconds(work)
    done = Job.objects.filter(tags=["small"], status="completed")
    if len(done) < _SMALL_JOBS:
        raise RuntimeError(f"of {_SMALL_JOBS} small jobs {len(done)} are completed")
    with _at_a_prompt(done[0].id, clip) as (argv, folder):
        once = shlex.join([FFMPEG_PATH, *argv[1:-1], "-f", "mp4", "/dev/null"])
        shell = f"seq {_SMALL_JOBS} | xargs -P{_AT_A_TIME} -I@ sh -c {shlex.quote(once)}"
        run = ["sh", "-c", f"{shell} > /dev/null 2>&1"]
        bare = seconds(
            lambda: subprocess.run(run, cwd=folder, check=True, stdin=subprocess.DEVNULL)
        )
    return Figure(
        f"{_SMALL_JOBS} small jobs: 2 s of 360p to 180p",
        f"{ours:.1f} s",
        f"{bare:.1f} s, xargs -P{_AT_A_TIME} ffmpeg",
        ours / bare,
        f"{bare / ours:.2f} of its rate",
        is_met=bare / ours >= _RATE_OF_XARGS,
    )


def probes(site: Site, clip: Path) -> Figure:
    clients = [Client.to(site.port, site.key) for _ in range(_AT_A_TIME)]
    body = {"input": clients[0].upload(clip)}
    each = _PROBES // _AT_A_TIME
    program = shutil.which("ffprobe") or FFPROBE_PATH
    ffprobe = f"{program} -v error -show_format -show_streams -of json"
    shell = f"yes '{clip}' | head -{_PROBES} | xargs -P{_AT_A_TIME} -I@ {ffprobe} @ > /dev/null"
    ours, bare = compared(
        lambda: side_by_side(clients, each, lambda client: client.post("/v1/probe", body)),
        lambda: subprocess.run(["sh", "-c", shell], check=True),
        runs=3,
    )
    return Figure(
        f"{_PROBES} probes, {_AT_A_TIME} at a time",
        f"{ours:.2f} s",
        f"{bare:.2f} s, xargs -P{_AT_A_TIME} {program}",
        ours / bare,
        f"{(ours - bare) * 1000 / _PROBES:+.0f} ms each; {bare / ours:.2f} of its rate",
        is_met=None if program == FFPROBE_PATH else bare / ours >= _RATE_OF_DEBIANS_PROBES,
    )
