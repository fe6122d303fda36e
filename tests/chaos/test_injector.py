"""Faults take turns, and one that found nothing at its own has another."""

from __future__ import annotations

import random
import time
from typing import cast

import pytest

from chaos import injector
from chaos.ground import Ground
from chaos.injector import Injector
from chaos.scene import Done, Fault, NothingToHit, Scene


def _injector(*faults: Fault) -> Injector:
    chance = random.Random(1)  # noqa: S311 -- for a seed, not for secrets
    scene = Scene(cast("Ground", None), chance)
    return Injector(scene, faults, (0, 0), lambda _: None)


def _rests(_: Scene) -> Done:
    time.sleep(0.02)
    return Done("done")


def test_what_found_nothing_has_a_second_turn_in_its_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(injector, "_LOOKS_EVERY_S", 0.005)
    found: list[int] = []

    def hits_late(_: Scene) -> Done:
        if len(found) < 40:  # all the looks of its first turn
            found.append(1)
            raise NothingToHit
        return Done("at last")

    def never_hits(_: Scene) -> Done:
        raise NothingToHit

    one = _injector(_rests, hits_late, never_hits)
    one.run(for_s=1)
    assert one.missed["hits_late"] == 1
    assert one.done["hits_late"] >= 1
    assert one.never_done() == ["never_hits"]


def test_a_seed_repeats_the_order_however_often_a_fault_draws() -> None:
    orders = []
    for draws in (0, 3):

        def draws_some(scene: Scene, draws: int = draws) -> Done:
            for _ in range(draws):
                scene.chance.random()
            return Done("")

        injector = _injector(*(_named(draws_some, number) for number in range(6)))
        told: list[str] = []
        injector.say = told.append
        injector.run(for_s=0.05)
        orders.append([line.split()[2] for line in told][:18])
    assert orders[0] == orders[1]


def _named(fault: Fault, number: int) -> Fault:
    def one(scene: Scene) -> Done:
        return fault(scene)

    one.__name__ = f"fault_{number}"
    return one


def test_what_was_done_is_undone_at_the_end() -> None:
    undone: list[str] = []

    def freezes(_: Scene) -> Done:
        time.sleep(0.02)
        return Done("frozen", 0.3, lambda: undone.append("woken"))

    injector = _injector(freezes)
    injector.run(for_s=0.05)
    assert len(undone) == injector.done["freezes"] > 0
