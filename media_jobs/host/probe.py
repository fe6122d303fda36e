from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from django.conf import settings

from ffapi_site.lib import ongoing, room
from ffapi_site.lib.problems import Unavailable
from ffapi_site.lib.refusal import Refusal
from media_jobs import sandbox
from media_jobs.ffmpeg import failures, first_frame, words
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.media_info import PROBE_ARGS, Json, MediaInfo, mapping
from media_jobs.ffmpeg.media_limits import MediaLimits, excess
from media_jobs.host import scratch, toolchain, unsupported_formats

LIMITS = sandbox.Limits(wall_s=60, cpu_s=30)
# Nobody reserved memory for a request: enough for 134 million pixels of 8 bits. And it is short,
# for others wait for its end.
AT_THE_DOOR = sandbox.Limits(wall_s=20, cpu_s=15, memory_bytes=768 << 20)
_PATIENCE_S = 30.0  # longer than one look: who comes while others look has a turn by then

Watch = Callable[[], object]
Look = Callable[[Path, str, Watch], MediaInfo]
"""Describes the file at a path in a scratch folder, calling what watches at least twice a second.

Raises as `probe_in` does."""


class Unreadable(Refusal):
    """ffprobe finds nothing that can be played"""


class TooMuch(Unreadable):
    """The medium is larger than is taken here"""


def media_limits() -> MediaLimits:
    return MediaLimits(
        pixels=settings.MAX_PIXELS,
        frames=settings.MAX_FRAMES,
        duration_s=settings.MAX_DURATION_SECONDS,
        streams=settings.MAX_STREAMS,
    )


def probe_in(
    folder: Path,
    path: str,
    *,
    limits: MediaLimits | None = None,
    watch: Watch = lambda: None,
    of_process: sandbox.Limits = LIMITS,
) -> MediaInfo:
    """Describe the file at ``path`` inside a prepared scratch folder.

    Raises `Unreadable`, and `TooMuch` of what is over ``limits``. ``watch`` is called at least
    twice a second; what it raises ends the probe and comes through.
    """
    if limits is not None and (why := unsupported_formats.why(folder / path)):
        raise Unreadable("bad_format", why)
    done = sandbox.finish(start(folder, path, limits=limits, of_process=of_process), watch)
    if done.returncode == -signal.SIGKILL and not (done.timed_out or done.out_of_memory):
        # Killed from outside: that says nothing of the medium.
        done = sandbox.finish(start(folder, path, limits=limits, of_process=of_process), watch)
    answer, own = _said(done)
    if (index := first_frame.missing(answer)) is not None:
        command = Command(first_frame.args(path, index, limits.pixels if limits else None))
        ffmpeg = toolchain.for_command(command).build.ffmpeg
        frame = sandbox.run(ffmpeg, command.args, folder=folder, limits=of_process, watch=watch)
        answer = first_frame.told(answer, index, frame.stderr)
        own += f"\n{words.own(frame.stderr)}"
    if limits and (found := excess(answer, own, limits)):
        raise TooMuch(found.code, found.detail)
    if done.returncode != 0:
        failure = failures.classify(own, done.returncode)
        told = failure.detail.replace(f"{path}: ", "")
        raise Unreadable(failure.code, f"{told}. {failure.hint}".rstrip())
    info = MediaInfo.from_ffprobe(answer)
    if info.video is None and not info.audio and not info.subtitles:
        raise Unreadable("no_streams", "there is no video, audio or subtitle stream in it")
    if info.video is not None and not info.video.width and not info.audio:
        raise Unreadable("input_unreadable", "its picture can't be decoded")
    return info


def _said(done: sandbox.Finished) -> tuple[Json, str]:
    """What ffprobe answered, and its own words beside that."""
    if done.timed_out:
        raise Unreadable("probe_timeout", f"ffprobe was not done after {done.wall_seconds:.0f} s")
    if done.out_of_memory:
        raise TooMuch("resource_limit", "to look at it takes more memory than it may")
    if done.stdout_truncated:
        raise Unreadable("input_unreadable", "its description is too long: it is mostly headers")
    try:
        answer = mapping(json.loads(done.stdout or b"{}"))
    except ValueError:
        answer = {}  # ffprobe ended early, and its status says so
    return answer, words.own(done.stderr)


def start(
    folder: Path,
    path: str,
    *,
    limits: MediaLimits | None = None,
    of_process: sandbox.Limits = LIMITS,
) -> sandbox.Process:
    # ffprobe decodes a picture to tell its format: one that is too large it must not begin.
    bounds = ["-max_pixels", str(limits.pixels)] if limits else []
    args = [*PROBE_ARGS, *bounds, path]
    return sandbox.start(toolchain.ffprobe(), args, folder=folder, limits=of_process)


def unconfined() -> Unavailable:
    """For a request that needs one of FFmpeg's programs where the sandbox does not hold."""
    return Unavailable("FFmpeg is missing or can't be confined here, so it is not started")


def turn(tenant_id: str) -> AbstractContextManager[None]:
    """A place for one process of a tenant's that a request waits for.

    Raises ``TooManyRequests`` or ``Unavailable`` where there was none for as long as a request
    waits for one.
    """
    return ongoing.PROBES.one_of(tenant_id, patience_s=_PATIENCE_S)


def look(folder: Path, path: str, watch: Watch) -> MediaInfo:
    """The `Look` of a slot."""
    return probe_in(folder, path, limits=media_limits(), watch=watch)


def look_of_request(tenant_id: str) -> Look:
    """The `Look` of a request, which takes its `turn` and is brief."""

    def look(folder: Path, path: str, watch: Watch) -> MediaInfo:
        with turn(tenant_id):
            return _look_briefly(folder, path, watch)

    return look


def _look_briefly(folder: Path, path: str, watch: Watch) -> MediaInfo:
    limits = media_limits()
    return probe_in(folder, path, limits=limits, watch=watch, of_process=AT_THE_DOOR)


def probe(path: Path, tenant_id: str) -> MediaInfo:
    """Describe a file that a tenant sends, from a scratch folder of its own.

    Raises as `probe_in` and `turn` do; ``Unavailable`` where nothing may be started here.
    """
    with turn(tenant_id), scratch.passing("probe") as folder:
        inside = folder / "in" / f"0{path.suffix[:6]}"
        try:
            os.link(path, inside)
        except OSError:  # another file system
            with path.open("rb") as content:
                room.copy(content, inside)
        try:
            return _look_briefly(folder, f"in/{inside.name}", lambda: None)
        except sandbox.SandboxUnavailable as missing:
            raise unconfined() from missing


def summary(path: Path, tenant_id: str) -> dict[str, Any]:
    """The same for who keeps it: as JSON, with one code for all that can't be read."""
    try:
        return probe(path, tenant_id).to_json()
    except TooMuch:
        raise
    except Unreadable as unreadable:
        raise Unreadable("media_unreadable", unreadable.detail) from unreadable
