"""django-q2's cluster as a slot has it: it ends where django-q2's would mend itself."""

from __future__ import annotations

import logging
import os
import time
from typing import Any, Final

from django_q.cluster import Cluster, Sentinel, get_mp_context
from django_q.conf import Conf

from media_jobs.host import slot_state

logger = logging.getLogger(__name__)

# The sentinel's exit status where it was the worker that died, and not the sentinel or another.
WORKER_DIED: Final = 70


class StrictSentinel(Sentinel):  # type: ignore[misc]  # django-q2 has no types
    """A sentinel that ends where django-q2's would replace a dead process.

    A worker killed while idle keeps the lock of the task queue, and the cluster never runs
    anything again (django-q2 #339, #346). A new cluster, made by the supervisor, does.
    """

    def guard(self) -> None:
        """Watch until told to stop; whoever watches this one sees that it goes on."""
        self.start_event.set()
        while not self.stop_event.wait(Conf.GUARD_CYCLE):
            slot_state.sentinel_at.value = time.monotonic()
            for process in (*self.pool, self.monitor, self.pusher):
                if not process.is_alive():
                    self.reincarnate(process)
        self.stop()

    def reincarnate(self, process: Any) -> None:
        logger.critical("A process of the slot died", extra={"exitcode": process.exitcode})
        os._exit(WORKER_DIED if process in self.pool else 1)


class SlotCluster(Cluster):  # type: ignore[misc]  # django-q2 has no types
    def start(self) -> int:
        fork = get_mp_context()
        slot_state.sentinel_at.value = slot_state.pusher_at.value = time.monotonic()
        self.stop_event, self.start_event = fork.Event(), fork.Event()
        arguments = (self.stop_event, self.start_event, self.cluster_id, self.broker, None)
        self.sentinel = fork.Process(target=StrictSentinel, name="sentinel", args=arguments)
        self.sentinel.start()
        return int(self.pid)

    def sig_handler(self, signum: int, frame: object) -> None:  # noqa: ARG002 -- a handler's shape
        """Stop taking jobs at once; the running one has its grace."""
        slot_state.draining.set()
        if self.stop_event is not None:
            self.stop_event.set()
