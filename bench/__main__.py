"""``make bench``: how fast it is, as ratios that hold on any machine."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import django

from bench.site import Site, bench_site

if TYPE_CHECKING:
    from bench.figures import Figure

_COLUMNS = "{:<36} {:>14}   {:<38} {:>6}  {}"


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores; medians; yardsticks from the same run\n")
    with bench_site() as site, TemporaryDirectory() as folder:
        show(measured(site, make_clip(Path(folder))))


def measured(site: Site, clip: Path) -> Iterator[Figure]:
    django.setup()
    from bench import figures

    yield figures.short_job(site, clip)
    yield figures.probes(site, clip)
    yield figures.sandboxed()
    yield figures.posts(site, clip)  # last: its jobs stay behind


def make_clip(folder: Path) -> Path:
    clip = folder / "bench.mp4"
    sources = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=4"]
    sources += ["-f", "lavfi", "-i", "sine=f=440:r=48000:d=4"]
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run(["ffmpeg", "-v", "error", *sources, *coding, str(clip)], check=True)
    return clip


def show(figures: Iterable[Figure]) -> None:
    print(_COLUMNS.format("", "FFAPI", "yardstick", "ratio", ""))
    for figure in figures:
        ratio = f"{figure.ratio:.2f}"
        row = (figure.name, figure.ours, figure.yardstick, ratio, figure.remark)
        print(_COLUMNS.format(*row), flush=True)


if __name__ == "__main__":
    main()
