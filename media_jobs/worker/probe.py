from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

from media_jobs.ffmpeg import failures
from media_jobs.ffmpeg.media_info import PROBE_ARGS, MediaInfo
from media_jobs.worker import sandbox, scratch

_LIMITS = sandbox.Limits(wall_s=60, cpu_s=30)


class Unreadable(Exception):  # noqa: N818 -- what the medium is
    """ffprobe finds nothing that can be played"""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def probe_in(folder: Path, path: str) -> MediaInfo:
    """Describe the file at ``path`` inside a prepared scratch folder. Raises `Unreadable`."""
    done = _ask(folder, path)
    if done.returncode == -signal.SIGKILL and not done.timed_out:
        done = _ask(folder, path)  # killed from outside: that says nothing of the medium
    if done.timed_out:
        raise Unreadable("probe_timeout", f"ffprobe was not done after {_LIMITS.wall_s:g} s")
    if done.returncode != 0:
        failure = failures.classify(done.stderr, done.returncode)
        raise Unreadable(failure.code, failure.detail.replace(f"{path}: ", ""))
    info = MediaInfo.from_ffprobe(json.loads(done.stdout))
    if info.video is None and not info.audio and not info.subtitles:
        raise Unreadable("no_streams", "there is no video, audio or subtitle stream in it")
    return info


def _ask(folder: Path, path: str) -> sandbox.Finished:
    return sandbox.run("ffprobe", [*PROBE_ARGS, path], folder=folder, limits=_LIMITS)


def probe(path: Path) -> MediaInfo:
    """Describe a local file anywhere, from a scratch folder of its own. Raises `Unreadable`."""
    with scratch.passing("probe") as folder:
        inside = folder / "in" / f"0{path.suffix[:6]}"
        try:
            os.link(path, inside)
        except OSError:  # another file system
            shutil.copyfile(path, inside)
        return probe_in(folder, f"in/{inside.name}")
