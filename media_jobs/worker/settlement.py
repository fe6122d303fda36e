"""How an attempt ends: its job completes, is tried again later, fails, or is canceled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from ffapi_site.lib.backoff import doubled_s, jittered_s
from ffapi_site.lib.shorten import shorten
from media_jobs.engine import lease, states
from media_jobs.ffmpeg import failures
from media_jobs.models import Job, Status
from media_jobs.models.job import RESULT_BYTES
from media_jobs.operations import core
from media_jobs.worker import end_transaction, job_errors
from media_jobs.worker.heartbeat import Canceled, Drained
from media_jobs.worker.outputs import Outputs, Unverified
from media_jobs.worker.receipt import Receipt

logger = logging.getLogger(__name__)

_LONGEST_WAIT_S = 3600.0
_CUT = f"the result was longer than the {RESULT_BYTES >> 10} KiB that are kept: parts are cut off"


@dataclass(frozen=True)
class Settlement:
    """Writes the end of one attempt, with its ``receipt``, in one transaction.

    ``on_outage`` is called between two tries of it while the database is away.
    """

    job: Job
    receipt: Receipt
    on_outage: Callable[[Exception], None]

    def complete(
        self, outputs: Outputs, result: core.Result | None, warnings: Sequence[str]
    ) -> None:
        """Publish ``outputs`` with the end of the job, or remove them where it can't be written.

        ``warnings`` are those of the inputs.
        """

        def write() -> None:
            outputs.publish(self.job)
            self.receipt.write(self.job, checks=outputs.checks)

        def end() -> None:
            found = result
            if found is not None and (data := shorten(found.data, RESULT_BYTES)) is not found.data:
                found = replace(found, data=data, warnings=(*found.warnings, _CUT))
            states.end(
                self.job,
                Status.COMPLETED,
                "every output is verified",
                write=write,
                **self.receipt.for_job(outputs.size_bytes),
                result=None if found is None else found.data,
                warnings=[
                    *(found.warnings if found else ()),
                    *outputs.warnings,
                    *warnings,
                    *self.receipt.commands.warnings,
                ],
                progress={"percent": 100.0, "stage": "done"},
            )

        try:
            end_transaction.commit(self.job, end, on_outage=self.on_outage)
        except BaseException:
            outputs.discard()
            raise
        extra = {"job": self.job.id, "attempt": self.job.attempt}
        logger.info("Job completed", extra=extra)

    @contextmanager
    def of_failures(self) -> Iterator[None]:
        """Settle what is raised within; `lease.Lost` goes on, for the attempt is another's then."""
        try:
            yield
        except lease.Lost:
            raise
        except Exception as error:  # noqa: BLE001 -- the boundary: it becomes the job's error
            self.settle(error)

    def settle(self, error: Exception) -> None:
        """Make of ``error`` the job's error, or another attempt where that may help."""
        if isinstance(error, Canceled):
            self._end(Status.CANCELED, "canceled while running")
        elif isinstance(error, Drained):
            self._give_back("the slot is stopping", charged=False)
        else:
            self._retry_or_fail(error)

    def _retry_or_fail(self, error: Exception) -> None:
        job, failure = self.job, job_errors.failure_of(error)
        if isinstance(error, Unverified) and self.receipt.commands.met_full_disk:
            # FFmpeg ends well where only its last bytes found no room.
            failure = failures.STORAGE_FULL
        extra = {"job": job.id, "attempt": job.attempt, "code": failure.code}
        logger.warning("An attempt failed", extra=extra, exc_info=failure.code == "internal_error")
        if failure.retryable and job.attempt < job.max_attempts:
            reason = f"{failure.code}: tried again later"
            self._give_back(reason, delay_s=retry_delay_s(job, failure))
        else:
            # What can be asked for: nobody is told to change what is not there.
            operation = core.REGISTRY.get(job.operation)
            parameters = operation.model_fields if operation else ()
            self._end(Status.FAILED, failure.code, error=failure.to_json(parameters))

    def _end(self, status: Status, reason: str, **values: Any) -> None:
        def end() -> None:
            at_end = self.receipt.for_job() | values
            states.end(self.job, status, reason, write=self._write_receipt, **at_end)

        end_transaction.commit(self.job, end, on_outage=self.on_outage)

    def _give_back(self, reason: str, *, delay_s: float = 0.0, charged: bool = True) -> None:
        """Queue the job again; what the attempt did cost is on its receipt until the job's end."""

        def give_back() -> None:
            states.give_back(
                self.job,
                reason,
                delay_s=delay_s,
                charged=charged,
                write=self._write_receipt,
                **self.receipt.for_job(),
            )

        end_transaction.commit(self.job, give_back, on_outage=self.on_outage)

    def _write_receipt(self) -> None:
        self.receipt.write(self.job)


def retry_delay_s(job: Job, failure: failures.Failure) -> float:
    """Doubles with every attempt, with jitter so that jobs that failed together part.

    What a server asked for counts where it is longer, up to an hour.
    """
    own_s = jittered_s(doubled_s(settings.JOB_RETRY_DELAY, job.attempt))
    return max(own_s, min(failure.retry_after_s, _LONGEST_WAIT_S))
