"""How long to wait before trying again: doubling, and never all at the same moment."""

from __future__ import annotations

import random

_SPREAD = 0.2
_MOST_DOUBLINGS = 30  # every bound is reached by then


def doubled_s(first_s: float, failures: int, *, longest_s: float = float("inf")) -> float:
    """The wait after so many failures in a row; after the first it is ``first_s``."""
    doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return float(min(first_s * 2.0**doublings, longest_s))


def jittered_s(wait_s: float) -> float:
    """The wait, a fifth more or less: who failed together does not come back together."""
    return wait_s * random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 -- jitter, no secret
