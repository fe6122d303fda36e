from __future__ import annotations

import itertools
import threading
import time

import pytest

from ffapi_site.lib.probe import Probe


def _soon() -> float:
    return time.monotonic() + 10


def test_it_works() -> None:
    probe = Probe(lambda: "well", fresh_for_s=10)
    probe.begin()
    assert probe.answer(until=_soon()) == "well"


def test_an_answer_is_shared_for_a_while() -> None:
    probe = Probe(itertools.count(1).__next__, fresh_for_s=0.3)
    for _ in range(50):
        probe.begin()
        assert probe.answer(until=_soon()) == 1
    time.sleep(0.4)
    probe.begin()
    assert probe.answer(until=_soon()) == 2


def test_who_asks_does_not_hang_with_it() -> None:
    """And however many ask, one thread hangs; afterwards it is as before."""
    wakes, asked = threading.Event(), itertools.count(1)

    def ask() -> int:
        wakes.wait()
        return next(asked)

    probe = Probe(ask, fresh_for_s=0)
    for _ in range(5):
        probe.begin()
        assert probe.answer(until=time.monotonic() + 0.05) is None
    wakes.set()
    assert probe.answer(until=_soon()) == 1
    probe.begin()
    assert probe.answer(until=_soon()) == 2


def test_what_fails_is_no_answer() -> None:
    probe = Probe(lambda: 1 / 0, fresh_for_s=0)
    probe.begin()
    assert probe.answer(until=_soon()) is None


def test_one_that_had_no_thread_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = Probe(lambda: "well", fresh_for_s=0)
    probe.begin()
    assert probe.answer(until=_soon()) == "well"
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", _no_thread)
        probe.begin()
        assert probe.answer(until=_soon()) is None
    probe.begin()
    assert probe.answer(until=_soon()) == "well"


def _no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
