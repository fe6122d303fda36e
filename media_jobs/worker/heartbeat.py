from __future__ import annotations

import logging
import threading
import time
from typing import Any, Self

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from ffapi_site.lib.chores import Chore, keep_doing, spawn
from media_jobs.engine import lease
from media_jobs.host import slot_state
from media_jobs.models import Job

logger = logging.getLogger(__name__)

_EVERY_S = 1.0
_AWAY_S = 0.5
# When the thread takes over, and how often it looks whether it has to.
_SILENT_S = 2.0
_LOOK_S = 0.5


class Canceled(Exception):  # noqa: N818
    """Somebody asked for the job's end"""


class Drained(Exception):  # noqa: N818
    """The slot must stop before the job can be done"""


class Heartbeat:
    """Holds the lease of an attempt, and shows the world how far it is, about once a second.

    ``beat`` and ``go_on`` raise `Canceled`, `Drained`, or `lease.Lost`: then all is to be left.
    While the database is away the work goes on for as long as the last lease holds, by the local
    clock. Between two beats a thread holds the lease, for LEASE_SECONDS and no longer: what hangs
    loses it. A step that may be silent for longer calls ``go_on`` for as long as it comes forward.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._progress: dict[str, Any] = dict(job.progress)
        self._percent = 0.0
        self._moved_at = self._tried_at = self._leased_at = time.monotonic()
        self._must_ask = True
        self._drain_by: float | None = None
        self._over = threading.Event()

    def __enter__(self) -> Self:
        spawn("lease", self._hold)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def go_on(self) -> None:
        """Beat as before: something goes on that is no progress to be shown."""
        self.beat(self._progress)

    def beat(self, progress: dict[str, Any]) -> None:
        clock = self._moved_at = time.monotonic()
        self._progress = progress
        self._check_drain(clock)
        if not self._must_ask and clock - self._tried_at < _EVERY_S:
            return
        self._must_ask = False
        try:
            is_canceled = self._renew(clock)
        except (OperationalError, InterfaceError) as error:
            self._bear_outage(clock, error)
            return
        if is_canceled:
            raise Canceled

    def wait_for_database(self, error: Exception) -> None:
        """Wait a moment for a database that is away. Raises `lease.Lost` after the last lease."""
        time.sleep(_AWAY_S)
        self._moved_at = time.monotonic()
        self._bear_outage(self._moved_at, error)

    def _renew(self, clock: float) -> bool:
        self._tried_at = clock
        is_canceled = lease.renew(self._job, self._progress | {"percent": self._shown_percent()})
        self._leased_at = clock
        return is_canceled

    def _shown_percent(self) -> float:
        self._percent = max(self._percent, self._progress.get("percent") or 0.0)
        return self._percent

    def _hold(self) -> None:
        chore = Chore("lease", self._renew_in_silence, longest_rest_s=_EVERY_S)
        keep_doing(chore, self._over, pause_s=_LOOK_S)
        connection.close()

    def _renew_in_silence(self) -> None:
        """Renew the lease while the attempt is in a step that does not beat, for a while.

        What there is to be told, it is the attempt itself that asks for it.
        """
        clock = time.monotonic()
        is_silent = clock - self._tried_at >= _SILENT_S
        if not is_silent or clock - self._moved_at > settings.LEASE_SECONDS or self._over.is_set():
            return
        try:
            self._must_ask |= self._renew(clock)
        except lease.Lost:
            self._must_ask = True

    def _bear_outage(self, clock: float, error: Exception) -> None:
        logger.warning("The database is away", extra={"job": self._job.id})
        connection.close()
        if clock - self._leased_at > settings.LEASE_SECONDS:
            raise lease.Lost(self._job.id) from error

    def _check_drain(self, clock: float) -> None:
        if self._drain_by is None and slot_state.draining.is_set():
            self._drain_by = clock + settings.SHUTDOWN_GRACE_SECONDS
        if self._drain_by is not None and clock > self._drain_by:
            raise Drained
