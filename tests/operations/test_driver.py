from __future__ import annotations

from typing import Any

import pytest

from media_jobs.ffmpeg.command import Command
from media_jobs.operations.core import InvalidParams, Media, Operation
from media_jobs.operations.core.driver import drive, plan
from tests.harness.media import Samples
from tests.operations.workshop import declared, sources_of

MEASURED = {
    "input_i": -30.0,
    "input_tp": -18.0,
    "input_lra": 2.0,
    "input_thresh": -40.0,
}


@pytest.fixture
def normalize(media: Samples) -> tuple[Operation, Media]:
    op = declared("audio/normalize", {"input": "film"}, {})
    return op, Media(sources_of(op, {"input": "film"}, media))


def test_it_works(normalize: tuple[Operation, Media]) -> None:
    ran: list[int] = []

    def execute(index: int, command: Command) -> Any:
        ran.append(index)
        return MEASURED if command.parse else None

    drive(*normalize, execute=execute)
    assert ran == [0, 1]


def test_plans_are_the_same_each_time(normalize: tuple[Operation, Media]) -> None:
    assert plan(*normalize) == plan(*normalize)


def test_shares_make_a_whole(media: Samples) -> None:
    op = declared("video/thumbnails", {"input": "film"}, {"count": 3})
    shares: list[float] = []

    def execute(_: int, command: Command) -> Any:
        shares.append(command.share)
        return [[0.5, 5, 90, 90], [1.5, 5, 90, 90], [2.5, 5, 90, 90]] if command.parse else None

    sources = sources_of(op, {"input": "film"}, media)
    drive(op, Media(sources), execute=execute)
    assert sum(shares) == pytest.approx(1)


def test_impossible_media_raise_at_once(media: Samples) -> None:
    op = declared("audio/normalize", {"input": "silent_film"}, {})
    with pytest.raises(InvalidParams):
        plan(op, Media(sources_of(op, {"input": "silent_film"}, media)))
