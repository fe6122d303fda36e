"""Is an output what was planned? An exit status of 0 is no proof: half a file often ends so."""

from __future__ import annotations

import re
from dataclasses import dataclass

from media_jobs.ffmpeg.command import OutputFile
from media_jobs.ffmpeg.media_info import MediaInfo

# Codecs pad to whole frames and containers round: less is no difference.
_SLACK_S = 0.5
_SLACK_SHARE = 0.02

# At the beginning of a message: before it stand who speaks, how grave it is, and which input.
_DAMAGE = re.compile(
    r"^(?:\[[^\]\n]{0,100}\] ){0,4}(?:\S{1,200}: )?(?:corrupt decoded frame|error while decoding|"
    r"concealing \d|Packet corrupt|stream \d{1,9}, offset \w{1,20}: partial file)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Verified:
    """``problems`` forbid publishing; ``warnings`` are told to the owner."""

    checks: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def check(output: OutputFile, info: MediaInfo | None, size_bytes: int) -> Verified:
    if size_bytes <= 0:
        return Verified(problems=("the output is missing or empty",))
    if output.streams is None:
        return Verified(checks=("size",))
    if info is None:
        return Verified(checks=("size",), problems=("the output is not readable as media",))
    problems = missing_streams(output.streams, info)
    # Headers may lie about the length of a source (cut uploads, variable bit rates without an
    # index), so an odd length is told, not refused.
    warnings = wrong_length(output, info)
    passed = ["size", "readable"]
    if not problems:
        passed.append("streams")
    if output.duration_s is not None and not warnings:
        passed.append("duration")
    return Verified(tuple(passed), problems, warnings)


def missing_streams(wanted: frozenset[str], info: MediaInfo) -> tuple[str, ...]:
    found = {
        kind
        for kind, is_there in (("video", info.video is not None), ("audio", info.has_audio))
        if is_there
    }
    return tuple(f"the output has no {kind}" for kind in sorted(wanted - found))


def wrong_length(output: OutputFile, info: MediaInfo) -> tuple[str, ...]:
    if output.duration_s is None:
        return ()
    # Raw streams, ADTS among them, say nothing certain of their length.
    if info.duration_s is None:
        return ()
    slack_s = max(_SLACK_S, output.duration_s * _SLACK_SHARE)
    if abs(info.duration_s - output.duration_s) <= slack_s:
        return ()
    # Why is not known here: where the input is cut off or damaged, that is said besides.
    return (f"the output lasts {info.duration_s:.2f} s instead of {output.duration_s:.2f} s",)


def tells_of_damage(own: str) -> bool:
    """Whether FFmpeg, by its own words, went on though it could not read all of its input."""
    return _DAMAGE.search(own) is not None
