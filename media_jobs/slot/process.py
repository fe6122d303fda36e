"""One slot: a django-q2 cluster of one worker, and the guard that watches over it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django_q.brokers import get_broker
from django_q.signals import post_execute_in_worker

from ffapi_site.lib.chores import Chore, Round, end_process, require_progress, spawn
from ffapi_site.lib.watched import die_with_parent
from media_jobs.engine import lost_workers, states
from media_jobs.host import devices, machine, sandbox_check, scratch, slot_state, toolchain
from media_jobs.host.capabilities import capabilities
from media_jobs.maintenance import orphans, sweep
from media_jobs.models import Slot
from media_jobs.operations.core import REGISTRY
from media_jobs.slot import cluster
from media_jobs.slot.hangs import Hangs

logger = logging.getLogger(__name__)

PATIENCE_S = 30.0
"""How long a guard may be silent before whoever watches over it kills it."""
START_S = 40.0
"""Likewise until it has begun: none of its first steps takes longer, on a busy machine either."""

_HEARTBEAT_S = 3.0
_ORPHANS_S = 20.0
_PASSING_S = 20.0
_CHECK_S = 3600.0
_CHECK_UNFIT_S = 10.0
# Longer than any of these takes while disk and database answer at all; a database may hang for half
# a minute, and what works then needs none.
_BEAT_PATIENCE_S = 60.0
_QUEUE_PATIENCE_S = 60.0
_CLEANING_PATIENCE_S = 900.0
_WITHOUT_HEARTBEAT_S = 300.0
_PAST_GRACE_S = 15.0
_LAST_BEAT_S = 5.0


def _free_gate(**_: object) -> None:
    slot_state.taken_at.value = 0.0
    slot_state.free.release()


class Guard:
    """``go_on`` tells whoever watches over the guard that it does not stand still."""

    def __init__(self, lane: str, number: int, go_on: Callable[[], None] = lambda: None) -> None:
        self.lane = lane
        self.name = f"{machine.name()}-{lane}-{number}"
        self._go_on = go_on
        self._row: dict[str, Any] = {"lane": lane, "host": machine.name(), "pid": os.getpid()}
        self._told: dict[str, Any] = {}
        """What its row holds, as far as this process has written it."""
        self._checked_at = 0.0
        self._since: datetime | None = None
        self._draining_since: float | None = None
        self._over = threading.Event()
        self._beating = Round("heartbeat", [], patience_s=_BEAT_PATIENCE_S)
        self._queue = Round("queue", self._queue_chores(), patience_s=_QUEUE_PATIENCE_S)
        self._cleaning = Round("cleaning", self._cleaning_chores(), patience_s=_CLEANING_PATIENCE_S)

    def run(self) -> int:
        """Serve until told to stop; give the exit status: not 0 where the cluster died."""
        os.environ["FFAPI_SLOT"] = self.name
        self._enter_group()
        self.check(self._go_on)
        post_execute_in_worker.connect(_free_gate, dispatch_uid="media_jobs.gate")
        os.register_at_fork(after_in_child=die_with_parent)
        REGISTRY.load()  # before the worker is forked: its first job need not wait for it
        slot = cluster.SlotCluster(get_broker(self.lane))
        connection.close()  # after the broker, which opens it: a fork must not share it
        slot.start()
        beating = self._keep_beating(slot)
        spawn("queue", partial(self._queue.keep_doing, self._over, pause_s=_HEARTBEAT_S))
        cleaning = partial(self._cleaning.keep_doing, pause_s=_HEARTBEAT_S, is_rare=True)
        spawn("cleaning", partial(cleaning, self._over))
        self._watch(slot)
        self._over.set()
        beating.join(_LAST_BEAT_S)  # a beat after the end would be of a slot that is no more
        return self._finish(slot)

    def _queue_chores(self) -> list[Chore]:
        return [
            Chore("let go", self._let_go, longest_rest_s=_HEARTBEAT_S),
            Chore("scratch", scratch.sweep),  # the next attempt may need the room
            Chore("orphans", orphans.end, every_s=_ORPHANS_S),
        ]

    def _cleaning_chores(self) -> list[Chore]:
        return [
            Chore("sandbox", self._check_when_due),
            Chore("passing scratch", scratch.sweep_passing, every_s=_PASSING_S),
        ]

    def _enter_group(self) -> None:
        try:
            sandbox_check.enter_group()
        except OSError:
            logger.warning("The slot has no control group", extra={"slot": self.name})

    def check(self, on_step: Callable[[], None] = lambda: None) -> None:
        """Try the sandbox; while it does not hold the slot is alive, says so and takes no job."""
        checked = sandbox_check.check()
        on_step()
        self._checked_at = time.monotonic()
        self._row["sandbox"] = checked.to_json()
        if checked.report.allowed:
            self._row["capabilities"] = capabilities().to_json() | {"builds": toolchain.told()}
            on_step()
            self._row["devices"] = {kind: asdict(each) for kind, each in devices.found().items()}
            slot_state.unfit.clear()
        else:
            slot_state.unfit.set()
        if checked.reason:
            logger.critical(
                "The sandbox does not hold", extra={"slot": self.name, "reason": checked.reason}
            )

    def _check_when_due(self) -> None:
        patience_s = _CHECK_UNFIT_S if slot_state.unfit.is_set() else _CHECK_S
        if time.monotonic() - self._checked_at > patience_s:
            self.check()

    def _keep_beating(self, slot: cluster.SlotCluster) -> threading.Thread:
        hangs = Hangs(self.name, slot.sentinel.pid)
        beat = Chore(
            "heartbeat",
            partial(self._beat, hangs),
            longest_rest_s=_HEARTBEAT_S,  # silent for longer, the slot is taken to be down
            vital_s=_WITHOUT_HEARTBEAT_S,
        )
        self._beating = Round("heartbeat", [beat], patience_s=_BEAT_PATIENCE_S)

        def keep_beating() -> None:
            self._beating.keep_doing(self._over, pause_s=_HEARTBEAT_S)
            connection.close()

        return spawn("heartbeat", keep_beating)

    def _watch(self, slot: cluster.SlotCluster) -> None:
        """Say that the guard goes on, whatever the database does: it asks nothing itself."""
        while slot.sentinel.is_alive():
            self._require_progress()
            self._go_on()
            slot.sentinel.join(_HEARTBEAT_S)

    def _beat(self, hangs: Hangs) -> None:
        """Tell that the slot is there, and of what stands still in it; replace what does for long.

        The worker is killed with all of the slot: the supervisor starts a fresh one.
        """
        hangs.look()
        if hang := hangs.certain:
            logger.critical("A slot hangs", extra={"slot": self.name, "what": hang.told})
            if slot_state.taken_at.value and self._since:
                lost_workers.report(self.name, hang.cause, since=self._since)
            end_process(hang.told)
        if not slot_state.draining.is_set():
            self._tell(hung=hangs.suspected)

    def _tell(self, *, hung: str) -> None:
        told = {
            "memory_mb": machine.memory_mb(),
            "scratch_mb": machine.scratch_mb(),
            "hung": hung,
            "troubles": self._queue.troubles | self._cleaning.troubles | scratch.troubles(),
        }
        values = self._row | told
        # What is as it was is not written again: the builds alone are kilobytes, every few seconds.
        changed = {
            name: each
            for name, each in values.items()
            if name not in self._told or self._told[name] != each
        }
        times = {"heartbeat_at": Now()} | ({"started_at": Now()} if self._since is None else {})
        if not Slot.objects.filter(pk=self.name).update(**changed, **times):
            Slot.objects.create(name=self.name, **values, **times)
        self._told = values
        if self._since is None:
            self._since = Slot.objects.get(pk=self.name).started_at

    def _require_progress(self) -> None:
        """End the process where a chore never ends, or the slot doesn't though it was told to."""
        require_progress((self._beating, self._queue, self._cleaning))
        if slot_state.draining.is_set():
            self._draining_since = self._draining_since or time.monotonic()
            grace_s = settings.SHUTDOWN_GRACE_SECONDS + _PAST_GRACE_S
            if time.monotonic() - self._draining_since > grace_s:
                end_process("the slot was told to stop and does not")

    def _let_go(self) -> None:
        """Take from this slot what its worker no longer works on: it was cut off for too long."""
        if not slot_state.taken_at.value:
            sweep.let_go(self.name)

    def _finish(self, slot: cluster.SlotCluster) -> int:
        slot.sentinel.join()
        if slot.sentinel.exitcode == cluster.WORKER_DIED and self._since:
            lost_workers.report(self.name, states.WORKER_DIED, since=self._since)
        Slot.objects.filter(pk=self.name).delete()
        sandbox_check.leave_group()
        return int(slot.sentinel.exitcode or 0)
