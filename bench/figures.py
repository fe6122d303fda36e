"""The figures: each against its yardstick, measured in the same run on the same machine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.bare_view import any_tenant
from bench.client import Client, median_seconds, side_by_side
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
    jobs: list[str] = []

    def job() -> None:
        done = client.post("/v1/transcode", body, Prefer="wait=60")
        if done["status"] != "completed":
            raise RuntimeError(f"the job is {done['status']}: {done['error']}")
        jobs.append(done["id"])

    ours = median_seconds(job, runs=7)
    bare = _bare_ffmpeg(jobs[-1], clip)
    return Figure(
        "a short job: 4 s of 720p to 360p",
        f"{ours * 1000:.0f} ms",
        f"{bare * 1000:.0f} ms, ffmpeg with the same argv",
        ours / bare,
        f"{(ours - bare) * 1000:+.0f} ms",
    )


def _bare_ffmpeg(job_id: str, clip: Path) -> float:
    commands = JobAttempt.objects.get(job_id=job_id).receipt["commands"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "out").mkdir()
        argv = commands[0]["argv"]
        source = next(argument for argument in argv if argument.startswith("in/"))
        shutil.copy(clip, folder / source)

        def encode() -> None:
            subprocess.run(
                argv, cwd=folder, check=True, stdin=subprocess.DEVNULL, capture_output=True
            )

        return median_seconds(encode, runs=7)


def probes(site: Site, clip: Path) -> Figure:
    clients = [Client.to(site.port, site.key) for _ in range(_AT_A_TIME)]
    body = {"input": clients[0].upload(clip)}
    each = _PROBES // _AT_A_TIME
    ours = median(
        side_by_side(clients, each, lambda client: client.post("/v1/probe", body)) for _ in range(3)
    )
    ffprobe = "ffprobe -v error -show_format -show_streams -of json"
    shell = f"yes '{clip}' | head -{_PROBES} | xargs -P{_AT_A_TIME} -I@ {ffprobe} @ > /dev/null"
    bare = median_seconds(lambda: subprocess.run(["sh", "-c", shell], check=True), runs=3)
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
        pairs = [
            (
                side_by_side(clients, _POSTS_EACH, lambda client: client.post("/v1/jobs", job)),
                side_by_side(clients, _POSTS_EACH, lambda client: client.post("/bench/rows", row)),
            )
            for _ in range(4)
        ][1:]
    ours = number / median(pair[0] for pair in pairs)
    bare = number / median(pair[1] for pair in pairs)
    return Figure(
        f"POST /v1/jobs, {_POSTERS} clients",
        f"{ours:.0f} a second",
        f"{bare:.0f} a second, bare DRF view, one row",
        ours / bare,
    )


def sandboxed() -> Figure:
    with scratch.passing("bench") as folder:
        limits = sandbox.Limits(wall_s=10)
        ours = median_seconds(
            lambda: sandbox.run("ffprobe", ["-version"], folder=folder, limits=limits), runs=30
        )
    bare = median_seconds(
        lambda: subprocess.run(["ffprobe", "-version"], check=True, capture_output=True), runs=30
    )
    return Figure(
        "a process in the sandbox",
        f"{ours * 1000:.0f} ms",
        f"{bare * 1000:.0f} ms, the same outside",
        ours / bare,
        f"{(ours - bare) * 1000:+.0f} ms",
    )
