"""What chaos stops for good it neither wakes nor ends, whatever else it does."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from typing import cast

import psutil
import pytest

from chaos.ground import Ground
from chaos.scene import NothingToHit, Scene
from tests.harness.server import eventually


@pytest.fixture
def scene() -> Scene:
    chance = random.Random(1)  # noqa: S311 -- for a seed, not for secrets
    return Scene(cast("Ground", None), chance)


@pytest.fixture
def two() -> Iterator[list[psutil.Process]]:
    with ExitStack() as stack:
        started = [stack.enter_context(subprocess.Popen(["sleep", "60"])) for _ in range(2)]
        yield [psutil.Process(each.pid) for each in started]
        for each in started:
            each.kill()


def _stands_still(process: psutil.Process) -> bool:
    return bool(process.status() == psutil.STATUS_STOPPED)


def test_what_is_frozen_goes_on(scene: Scene, two: list[psutil.Process]) -> None:
    done = scene.freeze(two, 1)
    assert done.undo
    assert eventually(lambda: all(map(_stands_still, two)), within_s=5)
    done.undo()
    assert eventually(lambda: not any(map(_stands_still, two)), within_s=5)


def test_what_was_stopped_before_stays_so(scene: Scene, two: list[psutil.Process]) -> None:
    scene.stop(two[:1])
    done = scene.freeze(two, 1)
    assert done.undo
    done.undo()
    assert eventually(lambda: not _stands_still(two[1]), within_s=5)
    assert eventually(lambda: _stands_still(two[0]), within_s=5)


def test_what_is_stopped_meanwhile_stays_so(scene: Scene, two: list[psutil.Process]) -> None:
    done = scene.freeze(two, 1)
    assert done.undo
    scene.stop(two[:1])
    done.undo()
    assert eventually(lambda: not _stands_still(two[1]), within_s=5)
    assert eventually(lambda: _stands_still(two[0]), within_s=5)


def test_what_was_stopped_is_hit_no_more(scene: Scene, two: list[psutil.Process]) -> None:
    scene.stop(two[:1])
    assert {scene.one_of(two) for _ in range(20)} == {two[1]}
    with pytest.raises(NothingToHit):
        scene.one_of(two[:1])


def test_what_has_ended_is_not_frozen(scene: Scene, two: list[psutil.Process]) -> None:
    gone, there = two
    gone.kill()
    gone.wait()
    done = scene.freeze([gone, there], 1)
    assert done.told == f"pid {there.pid}"
    with pytest.raises(NothingToHit):
        scene.freeze([gone], 1)
