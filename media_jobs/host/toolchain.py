"""The builds of FFmpeg on this machine: which there are, what each can do, which runs a command."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from ffapi_site.lib.refusal import Refusal
from media_jobs import sandbox
from media_jobs.ffmpeg import capabilities as texts
from media_jobs.ffmpeg import failures, needs, words
from media_jobs.ffmpeg.capabilities import Capabilities
from media_jobs.ffmpeg.command import Command
from media_jobs.host import builds, scratch
from media_jobs.host.builds import Build, Stamp, Stamps, stamp_of

_LIMITS = sandbox.Limits(wall_s=20)
_TRIED_AGAIN_S = 60.0
# An encoder that every FFmpeg has.
_ONE_FRAME = (
    *("-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=size=16x16:rate=25"),
    *("-frames:v", "1", "-c:v", "mpeg4", "-f", "null", "-"),
)


class Lacking(Refusal):
    """No FFmpeg of this machine can do it"""

    def __init__(self, detail: str) -> None:
        super().__init__("unavailable", detail)


@dataclass(frozen=True)
class Tried:
    """``reason`` says why a build can't be used here; empty where it can."""

    build: Build
    identity: Stamps
    """Of its programs as they were when it was tried."""
    capabilities: Capabilities
    reason: str = ""

    def to_json(self) -> dict[str, str]:
        ffmpeg, ffprobe = self.identity
        return {
            "name": self.build.name,
            "version": self.capabilities.version,
            "ffmpeg_sha256": sha256(self.build.ffmpeg, ffmpeg),
            "ffprobe_sha256": sha256(self.build.ffprobe, ffprobe),
        }


def installed() -> tuple[Build, ...]:
    """The builds that may be used here, the one to be preferred first."""
    return builds.found(settings.FFMPEG_BUILD)


def identity() -> tuple[Stamps, ...]:
    """What is another one where any of the builds is."""
    return tuple(build.identity() for build in installed())


def usable() -> Iterator[Tried]:
    """The builds that run here with what each can do, asked once a process as far as needed."""
    return (tried for tried in map(tried_once, installed()) if not tried.reason)


def tried_once(build: Build) -> Tried:
    """Raises ``SandboxUnavailable`` where nothing may be started here."""
    sandbox.require()
    identity = build.identity()
    # One that does not run may do so in a minute; till then it is not started again and again.
    period = int(time.monotonic() // _TRIED_AGAIN_S)
    reason = _refused(build, identity, period)
    return Tried(build, identity, Capabilities() if reason else _asked(build, identity), reason)


class _Unusable(Exception):  # noqa: N818 -- what a build is
    """It does not run here."""


@lru_cache(maxsize=8)
def _refused(build: Build, identity: Stamps, _: int) -> str:
    try:
        _asked(build, identity)
    except (sandbox.SandboxUnavailable, _Unusable) as error:
        return str(error)
    return ""


@lru_cache(maxsize=8)
def _asked(build: Build, _: Stamps) -> Capabilities:
    with scratch.passing("ask") as folder:

        def run(*args: str) -> sandbox.Finished:
            return sandbox.run(build.ffmpeg, args, folder=folder, limits=_LIMITS)

        one_frame = run(*_ONE_FRAME)
        if one_frame.returncode != 0:
            told = failures.clean(words.own(one_frame.stderr), str(folder))
            reason = failures.classify(told, one_frame.returncode).detail[:300]
            raise _Unusable(f"it can't encode a frame: {reason}")

        def ask(*question: str) -> str:
            return run("-hide_banner", *question).stdout.decode(errors="replace")

        looked = sandbox.run(build.ffprobe, ["-version"], folder=folder, limits=_LIMITS)
        version = texts.read_version(run("-version").stdout.decode(errors="replace"))
        if not (version and texts.read_version(looked.stdout.decode(errors="replace"))):
            raise _Unusable("ffmpeg or ffprobe says no version: it is another program")
        return Capabilities(
            version=version,
            encoders=texts.read_encoders(ask("-encoders")),
            filters=texts.read_filters(ask("-filters")),
            muxers=texts.read_muxers(ask("-muxers")),
        )


def for_command(command: Command) -> Tried:
    """The first build that has what ``command`` needs.

    Raises `Lacking` where none has, and ``SandboxUnavailable`` where there is none at all.
    """
    wanted = needs.of(command)
    lacking: list[str] = []
    for tried in usable():
        missing = wanted.lacking(tried.capabilities)
        if not missing:
            return tried
        lacking = lacking or missing
    if not lacking:
        raise sandbox.SandboxUnavailable(none_usable())
    raise Lacking(f"no FFmpeg here has the {' and the '.join(lacking)}")


def none_usable() -> str:
    """Why none of the builds can be used; empty where one can."""
    if any(usable()):
        return ""
    found = [f"{each.build.name}: {each.reason}" for each in map(tried_once, installed())]
    return "; ".join(found) or "no FFmpeg is installed"


def ffprobe() -> str:
    """The program that looks at files. Raises ``SandboxUnavailable``."""
    for build in installed():
        return build.ffprobe
    raise sandbox.SandboxUnavailable("no FFmpeg is installed")


@lru_cache(maxsize=8)
def sha256(path: str, stamp: Stamp) -> str:
    """Of a program, in hexadecimal digits; empty where it is another one by now, or none."""
    try:
        with Path(path).open("rb") as program:
            digest = hashlib.file_digest(program, "sha256").hexdigest()
    except OSError:
        return ""
    return digest if stamp_of(path) == stamp else ""


def altered() -> list[str]:
    """The programs of the wheels that are not those that were pinned."""
    return [
        f"{pinned.file} of {pinned.package} is not the one that is pinned"
        for pinned in {each for build in installed() for each in build.pinned}
        if (path := pinned.path()) and sha256(str(path), stamp_of(str(path))) != pinned.sha256
    ]


def told() -> list[dict[str, str]]:
    """Every build as its operators are told of it: also why one is not used."""
    return [tried.to_json() | {"reason": tried.reason} for tried in map(tried_once, installed())]
