"""``make bench``: how fast it is, as ratios that hold on any machine."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import django

from bench import history
from bench.site import Site, bench_site
from tests.harness.far_end import FarEnd
from tests.harness.programs import FFMPEG_PATH

if TYPE_CHECKING:
    from bench.figure import Figure

_COLUMNS = "{:<38} {:>14}   {:<38} {:>6}  {:<6}  {}"
_VERDICTS = {None: "", True: "met", False: "MISSED"}


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("only", nargs="*", help="names of figures [all]")
    only = arguments.parse_args().only
    print(f"{platform.machine()}, {os.cpu_count()} cores; medians; yardsticks from the same run\n")
    with (
        FarEnd() as far_end,
        bench_site(far_end.authority) as site,
        TemporaryDirectory() as folder,
    ):
        django.setup()
        from ffapi_site.lib import scope

        scope.act_for_every_tenant()
        figures = measured(site, Path(folder), far_end)
        if unknown := set(only) - set(figures):
            arguments.error(f"no figure is named {unknown}; there are {', '.join(figures)}")
        wanted = (figure() for name, figure in figures.items() if name in only or not only)
        show(chain.from_iterable(wanted))


def measured(
    site: Site, folder: Path, far_end: FarEnd
) -> dict[str, Callable[[], Iterable[Figure]]]:
    """The rows by the names under which they can be asked for."""
    from bench import audit, dispatch, figures, idle, keys, queueing, requests, sandbox_check

    clip = make_clip(folder / "bench.mp4", "1280x720", duration_s=4)
    brief = make_clip(folder / "brief.mp4", "640x360", duration_s=2)
    tiny = make_clip(folder / "tiny.mp4", "320x180", duration_s=1)
    is_full = os.environ.get("FULL") == "1"
    return {
        "idle": lambda: idle.idle(site, seconds=300 if is_full else 30),
        "short_job": lambda: [figures.short_job(site, clip)],
        "dispatch": lambda: [dispatch.dispatch(site, tiny)],
        "wake_ups": lambda: [dispatch.wake_ups(site, tiny, far_end)],
        "small_jobs": lambda: [figures.small_jobs(site, brief)],
        "probes": lambda: [figures.probes(site, clip)],
        "sandbox_start": lambda: [sandbox_check.start()],
        "sandbox_encode": lambda: [sandbox_check.encode()],
        "keys": lambda: [keys.check(site)],
        "claims": lambda: [queueing.claims(site)],
        "audit": lambda: [audit.records(seconds=60 if is_full else 10)],
        "lists": lambda: [queueing.lists(site, full=is_full)],
        "requests": lambda: requests.requests(site, clip),  # last: its jobs stay behind
    }


def make_clip(clip: Path, size: str, *, duration_s: float) -> Path:
    sources = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d={duration_s}"]
    sources += ["-f", "lavfi", "-i", f"sine=f=440:r=48000:d={duration_s}"]
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run([FFMPEG_PATH, "-v", "error", *sources, *coding, str(clip)], check=True)
    return clip


def show(figures: Iterable[Figure]) -> None:
    """Print each as it is measured, and what has become worse since the last run in red."""
    before, shown = history.read(), []
    print(_COLUMNS.format("", "FFAPI", "yardstick", "ratio", "target", ""))
    for figure in figures:
        ratio = f"{figure.ratio:.2f}"
        row = (figure.name, figure.ours, figure.yardstick, ratio)
        verdict, worse = _VERDICTS[figure.is_met], history.compared(figure, before)
        line = _COLUMNS.format(*row, verdict, f"{figure.remark}  {worse}".strip()).rstrip()
        print(f"\033[31m{line}\033[0m" if worse and sys.stdout.isatty() else line, flush=True)
        shown.append(figure)
    history.keep(shown)


if __name__ == "__main__":
    main()
