"""What the look at a key adds to a request."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from django.core.cache import cache
from django.db import connection

from accounts import keys
from bench.figure import Figure
from bench.site import Site

_CHECKS = 500
_ADDRESS = "127.0.0.1"
_TARGET_S = 0.001


def check(site: Site) -> Figure:
    """A key that this process has not seen for a while, against the bare look-up of its row."""
    found = keys.find(site.key, _ADDRESS)  # its use from here is noted once
    if found is None:
        raise RuntimeError("the benchmark's key is none")
    row = f"SELECT * FROM accounts_apikey WHERE id = '{found.pk}'"  # noqa: S608 -- an id of ours
    ours = _median_s(lambda: keys.find(site.key, _ADDRESS), before=cache.clear)
    trusted = _median_s(lambda: keys.find(site.key, _ADDRESS))
    bare = _median_s(lambda: _look_up(row))
    return Figure(
        "check of a key, looked up",
        f"{ours * 1000:.2f} ms",
        f"{bare * 1000:.2f} ms, SELECT of its row",
        ours / bare,
        f"trusted from the process's memory {trusted * 1000:.2f} ms",
        is_met=ours <= _TARGET_S,
    )


def _median_s(work: Callable[[], object], before: Callable[[], object] = int) -> float:
    taken = []
    for _ in range(_CHECKS):
        before()
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return median(taken)


def _look_up(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.fetchone()
