"""One slot: a django-q2 cluster of one worker, and the guard that watches over it."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import threading
import time
from dataclasses import asdict
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.cluster import Cluster, Sentinel, get_mp_context
from django_q.signals import post_execute_in_worker

from media_jobs import courier, deaths, housekeeping, states
from media_jobs.models import Slot
from media_jobs.worker import devices, fence, gate, host, orphans, scratch
from media_jobs.worker.capabilities import capabilities

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_HEARTBEAT_S = 3.0
_SWEEP_S = 20.0
_ORPHANS_S = 20.0
_COURIER_S = 1.0
_CHECK_S = 3600.0
_CHECK_UNFIT_S = 10.0

# The sentinel's exit status where it was the worker that died, and not the sentinel or another.
_WORKER_DIED = 70


class StrictSentinel(Sentinel):  # type: ignore[misc]  # django-q2 has no types
    """A sentinel that ends where django-q2's would replace a dead process.

    A worker killed while idle keeps the lock of the task queue, and the cluster never runs
    anything again (django-q2 #339, #346). A new cluster, made by the supervisor, does.
    """

    def reincarnate(self, process: Any) -> None:
        logger.critical("A process of the slot died", extra={"exitcode": process.exitcode})
        os._exit(_WORKER_DIED if process in self.pool else 1)


class SlotCluster(Cluster):  # type: ignore[misc]  # django-q2 has no types
    def start(self) -> int:
        fork = get_mp_context()
        self.stop_event, self.start_event = fork.Event(), fork.Event()
        arguments = (self.stop_event, self.start_event, self.cluster_id, self.broker, None)
        self.sentinel = fork.Process(target=StrictSentinel, name="sentinel", args=arguments)
        self.sentinel.start()
        return int(self.pid)

    def sig_handler(self, signum: int, frame: object) -> None:  # noqa: ARG002 -- a handler's shape
        """Stop taking jobs at once; the running one has its grace."""
        gate.draining.set()
        if self.stop_event is not None:
            self.stop_event.set()


def _die_with_parent() -> None:
    """Have the kernel end this process with the one that forked it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _free_gate(**_: object) -> None:
    gate.free.release()


class Guard:
    def __init__(self, lane: str, number: int) -> None:
        self.lane = lane
        self.name = f"{host.name()}-{lane}-{number}"
        self._row: dict[str, Any] = {"lane": lane, "host": host.name(), "pid": os.getpid()}
        self._checked_at = 0.0
        self._since = timezone.now()

    def run(self) -> int:
        """Serve until told to stop; give the exit status: not 0 where the cluster died."""
        os.environ["FFAPI_SLOT"] = self.name
        self._enter_group()
        self.check()
        post_execute_in_worker.connect(_free_gate, dispatch_uid="media_jobs.gate")
        os.register_at_fork(after_in_child=_die_with_parent)
        cluster = SlotCluster(get_broker(self.lane))
        connection.close()  # after the broker, which opens it: a fork must not share it
        cluster.start()
        threading.Thread(target=_carry, daemon=True, name="courier").start()
        self._watch(cluster)
        cluster.sentinel.join()
        if cluster.sentinel.exitcode == _WORKER_DIED:
            deaths.report(self.name, states.WORKER_DIED, since=self._since)
        Slot.objects.filter(pk=self.name).delete()
        fence.leave_group()
        return int(cluster.sentinel.exitcode or 0)

    def _enter_group(self) -> None:
        try:
            fence.enter_group()
        except OSError:
            logger.warning("The slot has no control group", extra={"slot": self.name})

    def check(self) -> None:
        """Try the sandbox; while it does not hold the slot is alive, says so and takes no job."""
        checked = fence.check()
        self._checked_at = time.monotonic()
        self._row["sandbox"] = checked.to_json()
        if checked.report.allowed:
            self._row["capabilities"] = capabilities().to_json()
            self._row["devices"] = {kind: asdict(each) for kind, each in devices.found().items()}
            gate.unfit.clear()
        else:
            gate.unfit.set()
        if checked.reason:
            logger.critical(
                "The sandbox does not hold", extra={"slot": self.name, "reason": checked.reason}
            )

    def _check_when_due(self) -> None:
        patience_s = _CHECK_UNFIT_S if gate.unfit.is_set() else _CHECK_S
        if time.monotonic() - self._checked_at > patience_s:
            self.check()

    def _watch(self, cluster: SlotCluster) -> None:
        last_sweep = last_hunt = 0.0
        while cluster.sentinel.is_alive():
            self._check_when_due()
            try:
                if not gate.draining.is_set():
                    room = {"memory_mb": host.memory_mb(), "scratch_mb": host.scratch_mb()}
                    beat = self._row | room | {"heartbeat_at": Now()}
                    Slot.objects.update_or_create(name=self.name, defaults=beat)
                housekeeping.tick()
                scratch.sweep()  # the next attempt may need the room
                if time.monotonic() - last_sweep > _SWEEP_S:
                    last_sweep = time.monotonic()
                    housekeeping.sweep()
                    scratch.sweep_passing()
                if time.monotonic() - last_hunt > _ORPHANS_S:
                    last_hunt = time.monotonic()
                    orphans.end()
            except (OperationalError, InterfaceError):
                logger.warning("The database is away", extra={"slot": self.name})
                connection.close()
            cluster.sentinel.join(_HEARTBEAT_S)


def _carry() -> None:
    """Deliver webhooks for as long as the process lives."""
    rounds = courier.Rounds()
    while True:
        try:
            rounds.send_due()
        except (OperationalError, InterfaceError):
            logger.warning("The database is away", extra={"chore": "courier"})
            connection.close()
        time.sleep(_COURIER_S)
