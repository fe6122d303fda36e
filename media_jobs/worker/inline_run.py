"""Answer a question about media within the request: no job, no queue."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from accounts.models import Tenant
from ffapi_site.lib import ongoing
from ffapi_site.lib.problem_handler import disk_full
from ffapi_site.lib.problems import at, invalid
from ffapi_site.lib.refusal import Refusal
from media_jobs import sandbox
from media_jobs.ffmpeg import failures
from media_jobs.ffmpeg.command import Command
from media_jobs.host import probe, scratch
from media_jobs.operations.core import Result, as_sent, drive
from media_jobs.planning.plan import Planned, media_of, plan
from media_jobs.worker import inputs
from media_jobs.worker.executor import CommandLimits, Executor, Failed

_PATIENCE_S = 2.0
_FETCHED_WITHIN_S = 60.0  # a client waits for it; what takes longer is a job


def answer(tenant: Tenant, operation: str, params: dict[str, Any]) -> Result:
    """Run an analysis now.

    Raises `Invalid` for what can't be read, and where there is no place for one more question
    `TooManyRequests` or `Unavailable`.
    """
    planned = plan(tenant, operation, params)
    with ongoing.QUESTIONS.one_of(tenant.pk, patience_s=_PATIENCE_S):
        return _answer(planned, tenant.pk, operation, params)


def _answer(planned: Planned, tenant_id: str, operation: str, params: dict[str, Any]) -> Result:
    look = probe.look_of_request(tenant_id)
    field = as_sent(operation, params, planned.inputs[0].role)
    try:
        with at(f"/params/{field}"), scratch.passing("answer") as folder:
            reads_all = planned.operation.reads_all
            gathered = inputs.bring(
                planned.inputs, folder, _patience(), look=look, reads_all=reads_all
            )
            executor = Executor(folder, CommandLimits.installed(probe.AT_THE_DOOR))

            def execute(_: int, command: Command) -> object:
                return gathered.read_by(lambda: in_turn(command))

            def in_turn(command: Command) -> object:
                with probe.turn(tenant_id):
                    return executor.execute(command)

            sources = media_of(gathered.sources)
            result = drive(planned.operation, sources, execute=execute)
    except sandbox.SandboxUnavailable as missing:
        raise probe.unconfined() from missing
    except Failed as failed:
        failure = failed.failure
        if failure.code == failures.STORAGE_FULL.code:
            raise disk_full() from failed
        detail = failure.detail
        if failure.code == failures.DEADLINE.code or failure is failures.CPU_LIMIT:
            detail += "; make a job of it"
        raise invalid(f"/params/{field}", detail, failure.code) from failed
    return result or Result()


def _patience() -> Callable[[int, int | None], None]:
    """What ends the fetching of a far end that takes too long."""
    deadline = time.monotonic() + _FETCHED_WITHIN_S

    def on_bytes(_got: int, _of: int | None) -> None:
        if time.monotonic() > deadline:
            detail = f"it did not come within {_FETCHED_WITHIN_S:g} s; make a job of it"
            raise Refusal("too_slow", detail)

    return on_bytes
