"""What our requests cost, against a minimal Django project that inserts a row for each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from django.conf import settings

from bench.client import Client, compared, seconds, side_by_side
from bench.dispatch import p95
from bench.figure import Figure
from bench.site import ROOT, Site, free_port
from ffapi_site.database.embedded import socket_folder
from media_jobs.engine import jobs
from media_jobs.models import Job, Status

_CLIENTS = 16
_EACH = 30
_ROUNDS = 5
_THREADS = 8
_WORK = 200  # more than the slots do meanwhile
_UP_WITHIN_S = 30.0
_LONGEST_S = 0.2
_PAGE = "/v1/jobs?limit=20"


def requests(site: Site, clip: Path) -> Iterator[Figure]:
    """The three that clients send most, with the slots asleep; then the same while they encode."""
    client = Client.to(site.port, site.key)
    file = client.upload(clip)
    job = {"operation": "transcode", "params": {"input": file, "output_format": "mp4"}}
    with site.slots_asleep(), _minimal_project() as port:
        for _ in range(20):  # of which the page is full
            one = client.post("/v1/jobs", job)["id"]
        kinds: dict[str, tuple[Callable[[Client], Any], float]] = {
            "POST /v1/jobs": (lambda each: each.post("/v1/jobs", job), 0.25),
            "GET one job": (lambda each: each.get(f"/v1/jobs/{one}"), 0.4),
            "GET a page of 20 jobs": (lambda each: each.get(_PAGE), 0.25),
        }
        for name, (send, wanted) in kinds.items():
            yield _against_insert(name, send, wanted, site, port)
    yield _while_encoding(site, clip, {name: send for name, (send, _) in kinds.items()})


def _against_insert(
    name: str, send: Callable[[Client], Any], wanted: float, site: Site, port: int
) -> Figure:
    ours = [Client.to(site.port, site.key) for _ in range(_CLIENTS)]
    bare = [Client.to(port, "") for _ in range(_CLIENTS)]
    row = {"tenant": "tnt_bench", "operation": "transcode", "params": {"output_format": "mp4"}}
    ours_s, bare_s = compared(
        lambda: side_by_side(ours, _EACH, send),
        lambda: side_by_side(bare, _EACH, lambda each: each.post("/rows", row)),
        runs=_ROUNDS,
    )
    number, rate = _CLIENTS * _EACH, bare_s / ours_s
    return Figure(
        f"{name}, {_CLIENTS} clients",
        f"{number / ours_s:.0f} a second",
        f"{number / bare_s:.0f} a second, minimal Django insert",
        ours_s / bare_s,
        f"{rate:.2f} of its rate, {wanted:g} wanted",
        is_met=rate >= wanted,
    )


def _while_encoding(site: Site, clip: Path, kinds: dict[str, Callable[[Client], Any]]) -> Figure:
    """The worst 95th percentile of the kinds, with every slot at work on a long film."""
    client = Client.to(site.port, site.key)
    params = {"input": client.upload(clip), "output_format": "mp4", "preset": "quality"}
    work = {"operation": "transcode", "params": params, "tags": ["busy"], "priority": "high"}
    for _ in range(_WORK):
        client.post("/v1/jobs", work)
    slowest = {name: p95(_each_s(site, send)) for name, send in kinds.items()}
    left = Job.objects.filter(status__in=[Status.QUEUED, Status.RUNNING])
    if not left.filter(tags=["busy"]).exists():
        raise RuntimeError("the slots ran out of work")
    for job in left:
        jobs.cancel(job)
    worst = max(slowest.values())
    told = ", ".join(f"{name.split()[0]} {at * 1000:.0f}" for name, at in slowest.items())
    return Figure(
        f"requests while slots encode, {_CLIENTS} clients, p95",
        f"{worst * 1000:.0f} ms",
        f"{_LONGEST_S * 1000:.0f} ms wanted",
        worst / _LONGEST_S,
        told,
        is_met=worst < _LONGEST_S,
    )


def _each_s(site: Site, send: Callable[[Client], Any]) -> list[float]:
    """The seconds of each request, of all clients together."""
    clients = [Client.to(site.port, site.key) for _ in range(_CLIENTS)]
    took: list[float] = []
    side_by_side(clients, _EACH, lambda each: took.append(seconds(lambda: send(each))))
    return took


@contextmanager
def _minimal_project() -> Iterator[int]:
    """Serve it with as many processes as the site's web server has; gives its port."""
    port = free_port()
    place = socket_folder(Path(settings.DATABASES["default"]["FOLDER"]))
    command = [
        *(sys.executable, "-m", "gunicorn", "bench.minimal:application"),
        *("-b", f"127.0.0.1:{port}", "-k", "gthread", "--keep-alive", "75", "--preload"),
        *("-w", str(settings.WEB_PROCESSES), "--threads", str(_THREADS)),
    ]
    unset = ("DJANGO_SETTINGS_MODULE", "PROMETHEUS_MULTIPROC_DIR")
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    server = subprocess.Popen(
        command, cwd=ROOT, env=kept | {"MINIMAL_DATABASE": str(place)}, stderr=subprocess.DEVNULL
    )
    try:
        _await(port)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _await(port: int) -> None:
    deadline = time.monotonic() + _UP_WITHIN_S
    while True:
        try:
            HTTPConnection("127.0.0.1", port, timeout=5).connect()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
