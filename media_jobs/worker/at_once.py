"""Answer a question about media within the request: no job, no queue."""

from __future__ import annotations

import threading
from typing import Any

from accounts.models import Tenant
from ffapi_site.lib import netguard
from ffapi_site.lib.problem_handler import disk_full
from ffapi_site.lib.problems import Unavailable, invalid
from media_jobs.ffmpeg import failures
from media_jobs.operations import driver
from media_jobs.operations.base import Result, as_sent
from media_jobs.worker import inputs, sandbox, scratch
from media_jobs.worker.execution import Executor, Failed, Ledger
from media_jobs.worker.planning import media_of, plan
from media_jobs.worker.probe import Unreadable
from storage.virus_scan import ScannerUnavailable

_AT_ONCE = 4  # a process; each holds a thread and a process of ffprobe
_PATIENCE_S = 2.0
_places = threading.BoundedSemaphore(_AT_ONCE)


def answer(tenant: Tenant, operation: str, params: dict[str, Any]) -> Result:
    """Run an analysis now. Raises `Invalid` for what can't be read, `Unavailable` when busy."""
    planned = plan(tenant, operation, params)
    if not _places.acquire(timeout=_PATIENCE_S):
        raise Unavailable("too many questions at once", headers={"Retry-After": "2"})
    field = as_sent(operation, params, planned.inputs[0].role)
    try:
        with scratch.passing("answer") as folder:
            gathered = inputs.bring(planned.inputs, folder, lambda *_: None)
            executor = Executor(folder, lambda *_: None, Ledger())
            result = driver.drive(
                planned.operation,
                media_of(gathered.sources),
                execute=lambda _, command: executor.execute(command),
            )
    except (netguard.Refused, Unreadable, inputs.Missing, inputs.NotTaken) as refused:
        raise invalid(f"/params/{field}", refused.detail, refused.code) from refused
    except sandbox.SandboxUnavailable as missing:
        raise Unavailable("FFmpeg can't be confined here, so it is not started") from missing
    except ScannerUnavailable as away:
        raise Unavailable(away.detail, code=away.code, headers={"Retry-After": "60"}) from away
    except Failed as failed:
        failure = failed.failure
        if failure.code == failures.STORAGE_FULL.code:
            raise disk_full() from failed
        raise invalid(f"/params/{field}", failure.detail, failure.code) from failed
    finally:
        _places.release()
    return result or Result()
