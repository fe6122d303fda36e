"""What went wrong with an attempt, in words for the job's owner, and whether to try again."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

from accounts.quotas.errors import QuotaExceeded
from ffapi_site.lib import netguard, room
from ffapi_site.lib.refusal import Refusal
from media_jobs.ffmpeg import failures
from media_jobs.ffmpeg.advice import PART
from media_jobs.host import toolchain
from media_jobs.host.probe import TooMuch, Unreadable
from media_jobs.operations import core
from media_jobs.sandbox.layers import SandboxUnavailable
from media_jobs.worker import inputs, outputs
from media_jobs.worker.executor import Failed
from storage import store
from storage.intake import ScannerUnavailable

# What happened, and what the owner can do about it.
_REASONS: dict[type[Refusal | QuotaExceeded], tuple[str, str]] = {
    netguard.Refused: (
        "An input could not be fetched",
        "Check the address, or upload the file instead.",
    ),
    TooMuch: ("An input is larger than is taken here", "Give a smaller input."),
    Unreadable: (
        "An input is not a medium that can be read",
        "Check that it plays, and upload it again.",
    ),
    inputs.Missing: ("An input is gone", "Upload it again."),
    outputs.Unverified: (
        "The result is not what was planned",
        "Check that the source plays; the job's log has all that FFmpeg said.",
    ),
    core.InvalidParams: (
        "The parameters do not fit the input",
        "Submit the job again with another {field}.",
    ),
    toolchain.Lacking: (
        "No FFmpeg of this machine can do it",
        "Ask for something else, or ask the operators for an FFmpeg that has it.",
    ),
    # Of a name or of bytes, by intake.
    Refusal: ("An input is nothing that is taken here", "Give another input."),
    QuotaExceeded: (
        "There is no room left for the output",
        "Delete files, or ask the operators for more room.",
    ),
}
_LARGER_THAN_ALLOWED = "Ask for less, or ask the operators to raise the limit."
# What the worker lacked; the next attempt, mostly elsewhere or later, may have it.
_OUTAGES = (
    OperationalError,
    InterfaceError,
    OSError,
    MemoryError,
    SandboxUnavailable,
    store.Gone,
)


def failure_of(error: Exception) -> failures.Failure:
    """Turn any exception into what a tenant needs to know.

    What is left over at the end is a fault of ours: it would be the same in every attempt.
    """
    if isinstance(error, Failed):
        return error.failure
    if isinstance(error, core.InvalidParamsGroup):
        return failure_of(error.errors[0])
    if isinstance(error, ScannerUnavailable):
        return failures.SCANNER_UNAVAILABLE
    if room.is_full(error):
        return failures.STORAGE_FULL
    for kind, (title, hint) in _REASONS.items():
        if isinstance(error, kind):
            return _of_reason(error, title, hint)
    return failures.OUTAGE if isinstance(error, _OUTAGES) else failures.INTERNAL


def _of_reason(error: Refusal | QuotaExceeded, title: str, hint: str) -> failures.Failure:
    if isinstance(error, QuotaExceeded):
        return failures.Failure(error.code, title, error.detail, hint)
    if isinstance(error, core.InvalidParams):
        # The field of an output's bound is the output itself, which nobody gave.
        is_bound = error.code == "quota_exceeded"
        hint = _LARGER_THAN_ALLOWED if is_bound else hint.format(field=error.field)
    return failures.Failure(
        error.code,
        title,
        error.detail,
        hint="Its server may have it again later." if error.is_passing else hint,
        retryable=error.is_passing,
        retry_after_s=error.retry_after_s or 0.0,
        advice=PART if isinstance(error, outputs.Unverified) else (),
    )
