"""R31: what goes on for as long as its process is ended by nothing that a single item does."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import OperationalError

from ffapi_site.lib import chores
from ffapi_site.lib.chores import Chore, Items, Round, keep_doing, spawn


class Unheard(Exception):  # noqa: N818 -- what no code of ours expects
    pass


def _raises(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def test_it_works() -> None:
    done: list[int] = []
    stop = threading.Event()

    def work() -> bool:
        done.append(len(done))
        if len(done) == 5:
            stop.set()
        return True

    keep_doing(Chore("test", work), stop, pause_s=0)
    assert done == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "error", [Unheard("?"), PermissionError(1, "no"), RecursionError(), MemoryError(), KeyError(1)]
)
def test_whatever_it_raises_is_said_and_rests(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    chore = Chore("test", _raises(error))
    assert chore.do() is None
    assert (chore.trouble, chore.is_due) == (type(error).__name__, False)
    assert "A chore failed" in caplog.text
    assert type(error).__name__ in caplog.text
    rests = [round(chore.rest_s) for _ in range(12) if chore.do() is None]
    assert rests == sorted(rests)
    assert (rests[0], rests[-1]) == (2, 300)


def test_what_goes_well_again_has_no_trouble() -> None:
    errors = [Unheard()]
    chore = Chore("test", lambda: errors and _raises(errors.pop())())
    chore.do()
    assert chore.trouble == "Unheard"
    chore.do()
    assert (chore.trouble, chore.is_due, chore.rest_s) == ("", True, 0)


def test_an_outage_is_tried_again_soon_for_as_long_as_it_lasts() -> None:
    chore = Chore("test", _raises(OperationalError()))
    rests = [chore.rest_s for _ in range(9) if chore.do() is None]
    assert max(rests) <= 3


def test_one_chore_holds_up_no_other() -> None:
    done: list[str] = []
    failing = Chore("failing", _raises(Unheard()))
    both = Round("test", [failing, Chore("other", lambda: done.append("."))], patience_s=60)
    for _ in range(3):
        both.do_due()
    assert done == ["."] * 3
    assert both.troubles == {"failing": "Unheard"}


def test_a_chore_that_never_ends_is_seen() -> None:
    inside, release = threading.Event(), threading.Event()

    def hang() -> None:
        inside.set()
        release.wait(20)

    hanging = Round("test", [Chore("hanging", hang)], patience_s=0.1)
    thread = spawn("test", hanging.do_due)
    assert inside.wait(20)
    time.sleep(0.2)
    assert hanging.hangs_in == "hanging"
    release.set()
    thread.join(20)
    assert hanging.hangs_in == ""


def test_a_chore_that_does_one_item_after_the_other_goes_on() -> None:
    """R30: however many there are, only one that never ends is seen."""
    release, done = threading.Event(), list[int]()

    def work(item: int) -> None:
        time.sleep(0.1)
        done.append(item)
        if item == 9:
            release.wait(20)

    items = Items("test")
    inner = Round("inner", [Chore("items", lambda: items.each(range(10), work))], patience_s=99)
    outer = Round("outer", [Chore("all", inner.do_due)], patience_s=0.5)
    thread = spawn("test", outer.do_due)
    while len(done) < 10:
        assert outer.hangs_in == ""
        time.sleep(0.01)
    time.sleep(0.8)
    assert outer.hangs_in == "all"
    release.set()
    thread.join(20)


def test_one_item_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []
    left: list[int] = []

    def work(item: int) -> None:
        if item == 2:
            raise PermissionError(1, "immutable")
        done.append(item)

    items = Items("test", rest_s=60)
    assert items.each([1, 2, 3], work, on_failure=left.append) == 2
    assert (done, left, items.left) == ([1, 3], [2], ["2"])
    assert caplog.text.count("An item of a chore failed") == 1
    assert items.each([1, 2, 3], work) == 2  # it rests: one line, not one each time
    assert caplog.text.count("An item of a chore failed") == 1


def test_an_outage_is_no_item_s() -> None:
    def work(_: int) -> None:
        raise OperationalError

    items = Items("test")
    with pytest.raises(OperationalError):
        items.each([1], work)
    assert items.left == []


def test_what_the_database_refuses_of_one_item_holds_up_no_other() -> None:
    """A lock that it waits for, a statement that takes too long: each time, of the same item."""
    done: list[int] = []

    def work(item: int) -> None:
        if item == 1:
            raise OperationalError("it took too long") from psycopg.errors.QueryCanceled()
        done.append(item)

    items = Items("test")
    assert items.each([1, 2, 3], work) == 2
    assert (done, items.left) == ([2, 3], ["1"])


def test_what_the_database_refuses_is_no_outage(caplog: pytest.LogCaptureFixture) -> None:
    """Or a chore that fails each time would never be told of with its reason, nor rest."""

    def refused() -> None:
        raise OperationalError("a deadlock") from psycopg.errors.DeadlockDetected()

    chore = Chore("test", refused)
    rests = [chore.rest_s for _ in range(9) if chore.do() is None]
    assert max(rests) > 3
    assert "The database is away" not in caplog.text


def test_failed_items_are_remembered_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "_MOST_ITEMS", 10)
    items = Items("test")
    items.each(range(50), lambda _: 1 / 0)
    assert len(items.left) == 10


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What would have ended this process."""
    statuses: list[int] = []
    monkeypatch.setattr(os, "_exit", statuses.append)
    return statuses


def test_the_process_ends_without_what_is_vital(ended: list[int]) -> None:
    vital = Chore("test", _raises(Unheard()), vital_s=0.05)
    vital.do()
    assert ended == []
    time.sleep(0.1)
    vital.do()
    assert ended == [1]


def test_the_process_ends_with_a_thread_that_must_not(ended: list[int]) -> None:
    spawn("test", _raises(Unheard())).join(20)
    assert ended == [1]
