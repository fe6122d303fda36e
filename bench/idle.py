"""What a site that has nothing to do takes of the machine: memory, and CPU time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from django.conf import settings

from bench.figure import Figure
from bench.site import Site
from ffapi_site.database import remains

_SETTLED_S = 15.0  # what is done once after a start
_MOST_MB = 350.0
_MOST_OF_A_CORE = 0.01


def idle(site: Site, *, seconds: float) -> Iterator[Figure]:
    """All processes of the site, with those of its embedded database."""
    time.sleep(_SETTLED_S)
    processes = list(_processes(site))
    before_s, began = _cpu_s(processes), time.monotonic()
    time.sleep(seconds)
    share = (_cpu_s(processes) - before_s) / (time.monotonic() - began)
    held_mb = sum(_pss_mb(each) for each in processes)
    yield Figure(
        "idle: memory (PSS)",
        f"{held_mb:.0f} MB",
        f"{_MOST_MB:.0f} MB wanted",
        held_mb / _MOST_MB,
        f"{len(processes)} processes",
        is_met=held_mb <= _MOST_MB,
    )
    yield Figure(
        f"idle: CPU over {seconds:.0f} s",
        f"{share:.1%} of a core",
        f"{_MOST_OF_A_CORE:.0%} wanted",
        share / _MOST_OF_A_CORE,
        is_met=share <= _MOST_OF_A_CORE,
    )


def _processes(site: Site) -> Iterator[psutil.Process]:
    yield from (site.server, *site.server.children(recursive=True))
    folder = Path(settings.DATABASES["default"]["FOLDER"])
    if first := remains.postmaster(folder.resolve()):
        # Where it is nobody's child it is not below the site.
        yield from (
            each for each in (first, *first.children()) if site.server not in each.parents()
        )


def _cpu_s(processes: list[psutil.Process]) -> float:
    took_s = 0.0
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            took_s += sum(each.cpu_times()[:2])
    return took_s


def _pss_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss / 1e6)
    except psutil.NoSuchProcess:
        return 0.0
