"""The figures: each against its yardstick, measured in the same run on the same machine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.bare_view import any_tenant
from bench.client import Client, compared, side_by_side
from bench.site import Site
from media_jobs.models import JobAttempt
from media_jobs.worker import sandbox, scratch

_PROBES = 100
_AT_A_TIME = 2
_POSTERS = 8
_POSTS_EACH = 60


@dataclass(frozen=True)
class Figure:
    name: str
    ours: str
    yardstick: str
    ratio: float
    remark: str = ""


def short_job(site: Site, clip: Path) -> Figure:
    """From the POST to its answer with the finished job, against the same argv at a prompt."""
    client = Client.to(site.port, site.key)
    body = {"input": client.upload(clip), "output_format": "mp4", "resolution": "360p"}

    def job() -> str:
        done = client.post("/v1/transcode", body, Prefer="wait=60")
        if done["status"] != "completed":
            raise RuntimeError(f"the job is {done['status']}: {done['error']}")
        return str(done["id"])

    with tempfile.TemporaryDirectory() as folder:
        ours, bare = compared(job, _same_argv(job(), clip, Path(folder)), runs=7)
    return Figure(
        "a short job: 4 s of 720p to 360p",
        f"{ours * 1000:.0f} ms",
        f"{bare * 1000:.0f} ms, ffmpeg with the same argv",
        ours / bare,
        f"{(ours - bare) * 1000:+.0f} ms",
    )


def _same_argv(job_id: str, clip: Path, folder: Path) -> Callable[[], object]:
    argv = JobAttempt.objects.get(job_id=job_id).receipt["commands"][0]["argv"]
    source = next(argument for argument in argv if argument.startswith("in/"))
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    shutil.copy(clip, folder / source)
    return lambda: subprocess.run(
        argv, cwd=folder, check=True, stdin=subprocess.DEVNULL, capture_output=True
    )


def probes(site: Site, clip: Path) -> Figure:
    clients = [Client.to(site.port, site.key) for _ in range(_AT_A_TIME)]
    body = {"input": clients[0].upload(clip)}
    each = _PROBES // _AT_A_TIME
    ffprobe = "ffprobe -v error -show_format -show_streams -of json"
    shell = f"yes '{clip}' | head -{_PROBES} | xargs -P{_AT_A_TIME} -I@ {ffprobe} @ > /dev/null"
    ours, bare = compared(
        lambda: side_by_side(clients, each, lambda client: client.post("/v1/probe", body)),
        lambda: subprocess.run(["sh", "-c", shell], check=True),
        runs=3,
    )
    return Figure(
        f"{_PROBES} probes, {_AT_A_TIME} at a time",
        f"{ours:.2f} s",
        f"{bare:.2f} s, xargs -P{_AT_A_TIME} ffprobe",
        ours / bare,
        f"{(ours - bare) * 1000 / _PROBES:+.0f} ms each",
    )


def posts(site: Site, clip: Path) -> Figure:
    """POSTs a second with the slots asleep, against a view that inserts a row and no more."""
    clients = [Client.to(site.port, site.key) for _ in range(_POSTERS)]
    params = {"input": clients[0].upload(clip), "output_format": "mp4"}
    job = {"operation": "transcode", "params": params}
    row = {"tenant": any_tenant()}
    number = _POSTERS * _POSTS_EACH
    with site.slots_asleep():
        ours, bare = compared(
            lambda: side_by_side(clients, _POSTS_EACH, lambda client: client.post("/v1/jobs", job)),
            lambda: side_by_side(
                clients, _POSTS_EACH, lambda client: client.post("/bench/rows", row)
            ),
            runs=3,
        )
    return Figure(
        f"POST /v1/jobs, {_POSTERS} clients",
        f"{number / ours:.0f} a second",
        f"{number / bare:.0f} a second, bare DRF view, one row",
        bare / ours,
    )


def sandboxed() -> Figure:
    limits = sandbox.Limits(wall_s=10)
    with scratch.passing("bench") as folder:
        ours, bare = compared(
            lambda: sandbox.run("ffprobe", ["-version"], folder=folder, limits=limits),
            lambda: subprocess.run(["ffprobe", "-version"], check=True, capture_output=True),
            runs=30,
        )
    return Figure(
        "a process in the sandbox",
        f"{ours * 1000:.0f} ms",
        f"{bare * 1000:.0f} ms, the same outside",
        ours / bare,
        f"{(ours - bare) * 1000:+.0f} ms",
    )
