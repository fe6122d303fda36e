"""What a fault is, and what it finds when its turn has come."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from chaos.ground import Ground
from tests.harness.customer import Customer


class NothingToHit(Exception):  # noqa: N818 -- a state, not a mistake
    """At this moment there is no such process, token or file"""


@dataclass(frozen=True)
class Done:
    """What was done, and what has to be done against it when its time has come."""

    told: str
    undo_after_s: float = 0.0
    undo: Callable[[], None] | None = None


@dataclass(frozen=True)
class Scene:
    ground: Ground
    chance: random.Random
    customers: Sequence[Customer] = ()
    stopped: set[psutil.Process] = field(default_factory=set)
    """What stands still for good: nobody here wakes it, or ends it in the site's place."""

    def one_of(self, found: list[psutil.Process]) -> psutil.Process:
        left = [each for each in found if each not in self.stopped]
        if not left:
            raise NothingToHit
        return self.chance.choice(left)

    def stop(self, found: list[psutil.Process]) -> Done:
        victim = self.one_of(found)
        victim.suspend()
        self.stopped.add(victim)
        return Done(f"pid {victim.pid}, for good")

    def freeze(self, found: list[psutil.Process], for_s: float) -> Done:
        """Let all of them stand still for a while."""
        frozen = [each for each in found if _is_suspended(each)]
        if not frozen:
            raise NothingToHit
        pids = " ".join(str(each.pid) for each in frozen)
        return Done(f"pid {pids}", for_s, lambda: self._wake(frozen))

    def _wake(self, frozen: list[psutil.Process]) -> None:
        for each in frozen:
            if each not in self.stopped:
                with suppress(psutil.NoSuchProcess):
                    each.resume()


Fault = Callable[[Scene], Done]


def _is_suspended(process: psutil.Process) -> bool:
    try:
        process.suspend()
    except psutil.NoSuchProcess:
        return False
    return True
