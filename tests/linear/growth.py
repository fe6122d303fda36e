"""How the work on a text grows with its length.

All shapes of text are looked at quickly, by the clock on the wall, which other work on the machine
only ever makes slower: so what seems to grow too fast is looked at again, by CPU time, in runs so
many that even a clock of whole ticks is exact.
"""

from __future__ import annotations

import signal
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

Make = Callable[[int], Callable[[], object]]
"""Makes the work on a text of so many characters; the text is made before it."""

_STEP = 4
_SMALL = 1024
_LARGE_OF_SLOW = 4096
_SLOW_S = 0.0002
# What takes no longer for 8 KiB can't be a pattern that tries in vain from every character.
_NOTHING_S = 0.002
_SUSPICIOUS = 2.0
_MUCH_S = 0.05
_MOST_SUSPECTS = 3
_ENOUGH = 10
_LONGEST_S = 0.5
_RUN_S = 0.1
_EXACT_S = 0.05
# Four times as much text: n takes 4 times as long, n log n hardly 5, n squared 16.
_LINEAR = 9.0
_LEAST_BYTES = 1 << 19


class _TooSlow(BaseException):
    """The time for one measurement is up"""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """End even a pattern that is at work: it looks for signals from time to time."""

    def stop(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _run(work: Callable[[], object], limit_s: float) -> float:
    """Seconds by the wall; ``limit_s`` where it had to be stopped."""
    began = time.perf_counter()
    try:
        with _limited(limit_s):
            work()
    except _TooSlow:
        return limit_s
    except Exception:  # noqa: BLE001, S110 -- a refusal ends the work, as any answer does
        pass
    return time.perf_counter() - began


def superlinear(shapes: Iterable[tuple[str, Make]], largest: int) -> str | None:
    """Say which shape's time grows faster than n log n, and how; None where none does."""
    suspects: list[tuple[float, str, Make, int]] = []
    for name, make in shapes:
        were_stopped = sum(seconds >= _LONGEST_S for seconds, *_ in suspects)
        if len(suspects) > _ENOUGH or were_stopped >= _MOST_SUSPECTS:
            break
        small = make(_SMALL)
        small_s = _run(small, 4 * _MUCH_S)
        if small_s > _MUCH_S:
            suspects.append((_LONGEST_S + small_s, name, make, _SMALL))
            continue
        small_s = min(small_s, _run(small, _LONGEST_S))
        size = min(largest, _LARGE_OF_SLOW if small_s > _SLOW_S else largest)
        seems_much = max(_NOTHING_S, _SUSPICIOUS * small_s * size / _SMALL)
        large = make(size)
        large_s = _run(large, _LONGEST_S)
        if seems_much < large_s < _LONGEST_S:
            large_s = min(large_s, _run(large, _LONGEST_S))
        if large_s > seems_much:
            suspects.append((large_s, name, make, size))
    suspects.sort(key=lambda suspect: suspect[0], reverse=True)
    for _, name, make, size in suspects[:_MOST_SUSPECTS]:
        if (grown := _growth(make, size)) > _LINEAR:
            return f"{name}: x{grown:.0f} in time for x{_STEP}"
    return None


def _growth(make: Make, size: int) -> float:
    """How much longer the work on four times the text takes, in CPU time."""
    while size > _STEP and _run(make(size), 2 * _RUN_S) > _RUN_S:
        size //= _STEP
    if (large_s := _cpu_s(make(size * _STEP))) is None:
        return float("inf")
    return large_s / max(_cpu_s(make(size)) or 0.0, 1e-7)


def _cpu_s(work: Callable[[], object]) -> float | None:
    """CPU seconds of a run, over as many as it takes; None where one had to be stopped."""
    limit_s = 40 * _RUN_S
    began, runs = time.process_time(), 0
    while (spent := time.process_time() - began) < _EXACT_S:
        if _run(work, limit_s) >= limit_s:
            return None
        runs += 1
    return spent / runs


def _peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
    except Exception:  # noqa: BLE001, S110 -- as above
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


def hoarding(make: Make, largest: int) -> str | None:
    """Say how memory grows where that is faster than n."""
    small, large = _peak_bytes(make(largest // _STEP)), _peak_bytes(make(largest))
    if large < _LEAST_BYTES or large <= small * _LINEAR:
        return None
    return f"x{large / small:.0f} in memory for x{_STEP}"
