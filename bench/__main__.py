"""``make bench``: how fast it is, as ratios that hold on any machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import django

from bench.site import Site, bench_site
from tests.system.far_end import FarEnd

if TYPE_CHECKING:
    from bench.figure import Figure

_COLUMNS = "{:<38} {:>14}   {:<38} {:>6}  {:<6}  {}"
_VERDICTS = {None: "", True: "met", False: "MISSED"}


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores; medians; yardsticks from the same run\n")
    with (
        FarEnd() as far_end,
        bench_site(far_end.authority) as site,
        TemporaryDirectory() as folder,
    ):
        show(audited() if sys.argv[1:] == ["audit"] else measured(site, Path(folder), far_end))


def audited() -> Iterator[Figure]:
    django.setup()
    from bench import audit
    from ffapi_site.lib import scope

    scope.act_for_every_tenant()
    yield audit.records(seconds=60)


def measured(site: Site, folder: Path, far_end: FarEnd) -> Iterator[Figure]:
    django.setup()
    from bench import audit, dispatch, fence, figures, keys, queueing
    from ffapi_site.lib import scope

    scope.act_for_every_tenant()

    clip = make_clip(folder / "bench.mp4", "1280x720", duration_s=4)
    small = make_clip(folder / "small.mp4", "320x180", duration_s=1)
    yield figures.short_job(site, clip)
    yield dispatch.dispatch(site, small)
    yield dispatch.wake_ups(site, small, far_end)
    yield figures.small_jobs(site, make_clip(folder / "brief.mp4", "640x360", duration_s=2))
    yield figures.probes(site, clip)
    yield fence.start()
    yield fence.encode()
    yield keys.check(site)
    yield queueing.claims(site)
    yield audit.records(seconds=10)
    yield queueing.lists(site, full=os.environ.get("FULL") == "1")
    yield figures.posts(site, clip)  # last: its jobs stay behind


def make_clip(clip: Path, size: str, *, duration_s: float) -> Path:
    sources = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d={duration_s}"]
    sources += ["-f", "lavfi", "-i", f"sine=f=440:r=48000:d={duration_s}"]
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run(["ffmpeg", "-v", "error", *sources, *coding, str(clip)], check=True)
    return clip


def show(figures: Iterable[Figure]) -> None:
    print(_COLUMNS.format("", "FFAPI", "yardstick", "ratio", "target", ""))
    for figure in figures:
        ratio = f"{figure.ratio:.2f}"
        row = (figure.name, figure.ours, figure.yardstick, ratio)
        verdict = _VERDICTS[figure.is_met]
        print(_COLUMNS.format(*row, verdict, figure.remark).rstrip(), flush=True)


if __name__ == "__main__":
    main()
