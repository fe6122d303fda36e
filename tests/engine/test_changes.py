"""R31: the change feed goes on, whatever goes wrong with it or with one of those whom it wakes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from media_jobs.events import change_feed
from media_jobs.events.change_feed import CHANNEL, ChangeFeed, direct_connection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def feed() -> Iterator[ChangeFeed]:
    made = ChangeFeed()
    yield made
    made.close()


def announce(job: str) -> None:
    with direct_connection() as connection:
        connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, job])


def test_it_goes_on_after_what_nobody_thought_of(
    feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was a connection that is no more, and nothing else, that it survived."""
    failures: list[Exception] = [ValueError("odd"), MemoryError(), psycopg.OperationalError()]

    def connect() -> psycopg.Connection[Any]:
        if failures:
            raise failures.pop()
        return direct_connection()

    monkeypatch.setattr(change_feed, "direct_connection", connect)
    monkeypatch.setattr(change_feed, "_LOOKS_UP_EVERY_S", 0.01)
    woken = threading.Event()
    with feed.on_change("job_1", woken.set):
        assert woken.wait(20)  # all are, once it listens
        woken.clear()
        announce("job_1")
        assert woken.wait(20)


def test_one_who_can_t_be_woken_holds_up_nobody_else(feed: ChangeFeed) -> None:
    woken = threading.Event()

    def closed() -> None:
        raise RuntimeError("Event loop is closed")

    with feed.on_change("job_1", closed), feed.on_change("job_1", woken.set):
        assert woken.wait(20)
        woken.clear()
        announce("job_1")
        assert woken.wait(20)


def test_one_for_whom_there_was_no_thread_is_not_kept(
    feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError), feed.on_change("job_1", lambda: None):
            pass
    assert not feed._waiting
    woken = threading.Event()
    with feed.on_change("job_1", woken.set):
        assert woken.wait(20)
