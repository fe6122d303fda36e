from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from chaos.faults import MISSED, STARTING_AGAIN
from chaos.scene import Fault, Scene

_LOOKS = 40  # how often a fault looks for its victim before the next one has its turn
_LOOKS_EVERY_S = 0.05


@dataclass
class Injector:
    """Does one fault after the other, at random moments, until its time is over."""

    scene: Scene
    faults: Sequence[Fault]
    gap_s: tuple[float, float]
    say: Callable[[str], None]
    done: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    _undo: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def run(self, for_s: float) -> None:
        began = time.monotonic()
        turns = self._turns()
        while time.monotonic() < began + for_s:
            self._rest(self.scene.chance.uniform(*self.gap_s))
            self._inject(next(turns), began)
        self._rest(max([at - time.monotonic() for at, _ in self._undo], default=0.0))

    def _turns(self) -> Iterator[Fault]:
        """All of them in a random order, again and again; what has never hit has a second turn."""
        chance = random.Random(self.scene.chance.random())  # how often others ask depends on time
        while True:
            order = chance.sample(self.faults, len(self.faults))
            yield from order
            yield from (fault for fault in order if not self.done[fault.__name__])

    def never_done(self) -> list[str]:
        return [fault.__name__ for fault in self.faults if not self.done[fault.__name__]]

    def _inject(self, fault: Fault, began: float) -> None:
        if fault in STARTING_AGAIN:
            self._undo_until(math.inf)
        for _ in range(_LOOKS):
            try:
                done = fault(self.scene)
            except MISSED:
                time.sleep(_LOOKS_EVERY_S)
                continue
            self.done[fault.__name__] += 1
            self.say(f"{time.monotonic() - began:6.1f} s  {fault.__name__}: {done.told}")
            if done.undo:
                self._undo.append((time.monotonic() + done.undo_after_s, done.undo))
            return
        self.missed[fault.__name__] += 1

    def _rest(self, seconds: float) -> None:
        """Wait, and undo meanwhile what is to be undone."""
        until = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            self._undo_until(now)
            if now >= until:
                return
            time.sleep(min(0.1, until - now))

    def _undo_until(self, moment: float) -> None:
        for at, undo in list(self._undo):
            if at <= moment:
                self._undo.remove((at, undo))
                undo()
