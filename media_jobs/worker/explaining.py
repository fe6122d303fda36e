"""What went wrong with an attempt, in words for the owner of the job, and whether it may pass."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

from accounts.quotas.refusal import QuotaExceeded
from ffapi_site.lib import netguard, room
from media_jobs.ffmpeg import failures
from media_jobs.operations import base
from media_jobs.worker import inputs, outputs
from media_jobs.worker.execution import Failed
from media_jobs.worker.probe import TooMuch, Unreadable
from media_jobs.worker.sandbox_layers import SandboxUnavailable
from storage import store
from storage.virus_scan import ScannerUnavailable

_TITLES: dict[type[Exception], str] = {
    netguard.Refused: "An input could not be fetched",
    inputs.NotTaken: "An input is nothing that is taken here",
    TooMuch: "An input is larger than is taken here",
    Unreadable: "An input is not a medium that can be read",
    inputs.Missing: "An input is gone",
    outputs.Unverified: "The result is not what was planned",
    base.InvalidParams: "The parameters do not fit the input",
    QuotaExceeded: "There is no room left for the output",
}
# What the worker lacked; the next attempt, mostly elsewhere or later, may have it.
_OUTAGES = (
    OperationalError,
    InterfaceError,
    OSError,
    MemoryError,
    SandboxUnavailable,
    store.Gone,
)


def explain(error: Exception) -> failures.Failure:
    """Say of any exception what a tenant needs to know.

    What is left over at the end is a fault of ours: it would be the same in every attempt.
    """
    if isinstance(error, Failed):
        return error.failure
    if isinstance(error, base.InvalidParamsGroup):
        return explain(error.errors[0])
    if isinstance(error, ScannerUnavailable):
        return failures.SCANNER_UNAVAILABLE
    if room.is_full(error):
        return failures.STORAGE_FULL
    for kind, title in _TITLES.items():
        if isinstance(error, kind):
            return _told(error, title)
    return failures.OUTAGE if isinstance(error, _OUTAGES) else failures.INTERNAL


def _told(error: Exception, title: str) -> failures.Failure:
    code, detail = vars(error)["code"], vars(error)["detail"]
    if not isinstance(error, netguard.Refused):
        return failures.Failure(code, title, detail)
    return failures.Failure(
        code,
        title,
        detail,
        hint="Its server may have it again later." if error.is_passing else "",
        retryable=error.is_passing,
        retry_after_s=error.retry_after_s or 0.0,
    )
