from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from media_jobs import states
from media_jobs.models import Job
from media_jobs.worker import gate

logger = logging.getLogger(__name__)

_EVERY_S = 1.0
_AWAY_S = 0.5


class Canceled(Exception):  # noqa: N818
    """Somebody asked for the job's end"""


class Drained(Exception):  # noqa: N818
    """The slot must stop before the job can be done"""


class Pulse:
    """Shows the world, at most once a second, that an attempt lives and how far it is.

    ``beat`` raises `Canceled`, `Drained`, or `states.Lost`: then FFmpeg is to be killed. While the
    database is away the work goes on for as long as the last lease holds, by the local clock.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._progress: dict[str, Any] = {}
        self._percent = 0.0
        self._last_try = -_EVERY_S
        self._leased_at = time.monotonic()
        self._drain_by: float | None = None

    def go_on(self) -> None:
        """Beat as before: something goes on that is no progress to be shown."""
        self.beat(self._progress)

    def beat(self, progress: dict[str, Any]) -> None:
        clock = time.monotonic()
        self._progress = progress
        self._check_drain(clock)
        if clock - self._last_try < _EVERY_S:
            return
        self._last_try = clock
        self._percent = max(self._percent, progress.get("percent") or 0.0)
        try:
            canceled = states.heartbeat(self._job, progress | {"percent": self._percent})
        except (OperationalError, InterfaceError) as error:
            self._bear_outage(clock, error)
            return
        self._leased_at = clock
        if canceled:
            raise Canceled

    def bear(self, error: Exception) -> None:
        """Wait a moment for a database that is away. Raises `states.Lost` after the last lease."""
        time.sleep(_AWAY_S)
        self._bear_outage(time.monotonic(), error)

    def _bear_outage(self, clock: float, error: Exception) -> None:
        logger.warning("The database is away", extra={"job": self._job.id})
        connection.close()
        if clock - self._leased_at > settings.LEASE_SECONDS:
            raise states.Lost(self._job.id) from error

    def _check_drain(self, clock: float) -> None:
        if self._drain_by is None and gate.draining.is_set():
            self._drain_by = clock + settings.SHUTDOWN_GRACE_SECONDS
        if self._drain_by is not None and clock > self._drain_by:
            raise Drained
