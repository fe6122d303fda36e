from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from ffapi_site.demo import scene
from media_jobs import sandbox
from media_jobs.ffmpeg.command import Command
from media_jobs.host import scratch, toolchain


class NoClip(Exception):  # noqa: N818 -- what there is
    """FFmpeg could not make the demo's clip"""


def demo_clip(say: Callable[[str], None]) -> Path:
    """Give the clip's path; it is made once and kept in the data folder."""
    clip = Path(settings.DATA_DIR) / "demo" / "mountains-at-dusk.mp4"
    if not clip.exists():
        say("Painting the clip, this once: it takes a moment")
        clip.parent.mkdir(exist_ok=True)
        with scratch.passing("demo") as folder:
            arguments, limits = scene.arguments("out/clip.mp4"), sandbox.Limits(wall_s=600)
            ffmpeg = toolchain.for_command(Command(tuple(arguments))).build.ffmpeg
            done = sandbox.run(ffmpeg, arguments, folder=folder, limits=limits)
            sandbox.close()  # what serves waits at its end for all that is below it
            if done.returncode != 0:
                raise NoClip(done.stderr.strip() or f"it ended with status {done.returncode}")
            shutil.move(folder / "out/clip.mp4", clip)
    return clip
