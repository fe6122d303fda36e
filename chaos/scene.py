"""What a fault is, and what it finds when its turn has come."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from chaos.ground import Ground


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

    def one_of(self, found: list[psutil.Process]) -> psutil.Process:
        if not found:
            raise NothingToHit
        return self.chance.choice(found)


Fault = Callable[[Scene], Done]


def resume(process: psutil.Process) -> None:
    try:
        process.resume()
    except psutil.NoSuchProcess:
        return
