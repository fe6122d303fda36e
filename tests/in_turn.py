"""What is tried in full at night, and by turns after every change."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

IS_NIGHT = os.environ.get("FFAPI_NIGHTLY") == "1"


def in_turn(cases: Sequence[T], turn: int, of: int) -> Sequence[T]:
    """Give every ``of``-th case, from the ``turn``-th on: over ``of`` turns each is met.

    At night all of them are given.
    """
    return cases if IS_NIGHT else cases[turn % of :: of]
