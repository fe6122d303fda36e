from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from django.db import connection
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.pusher import pusher
from django_q.signing import SignedPackage

from accounts.admin_site import site
from media_jobs.engine import wakeups
from media_jobs.host import slot_state
from media_jobs.slot.broker import TokenBroker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot() -> Iterator[TokenBroker]:
    """The broker of an idle slot of the lane ``cpu``."""
    broker = get_broker("cpu")
    assert isinstance(broker, TokenBroker)
    yield broker
    broker.close()
    slot_state.free.acquire(block=False)
    slot_state.free.release()


def done() -> None:
    slot_state.free.release()


def test_it_works(slot: TokenBroker) -> None:
    wakeups.wake("cpu")
    taken = slot.dequeue()
    assert taken is not None
    assert len(taken) == 1
    assert wakeups.waiting_tokens("cpu") == 0


def test_an_empty_queue_gives_nothing_and_leaves_the_slot_free(slot: TokenBroker) -> None:
    assert slot.dequeue() is None
    wakeups.wake("cpu")
    assert slot.dequeue()


def test_another_lane_s_token_stays(slot: TokenBroker) -> None:
    wakeups.wake("gpu")
    assert slot.dequeue() is None
    assert wakeups.waiting_tokens("gpu") == 1


def test_a_busy_slot_leaves_tokens_to_others(slot: TokenBroker) -> None:
    wakeups.wake("cpu")
    assert slot.dequeue()
    wakeups.wake("cpu")
    assert slot.dequeue() is None
    assert wakeups.waiting_tokens("cpu") == 1
    done()
    assert slot.dequeue()


def test_a_token_wakes_a_waiting_slot_at_once(slot: TokenBroker) -> None:
    assert slot.dequeue() is None  # listening from here on
    sent_at = 0.0

    def send() -> None:
        nonlocal sent_at
        time.sleep(0.3)
        sent_at = time.monotonic()
        wakeups.wake("cpu")
        connection.close()

    sender = threading.Thread(target=send)
    sender.start()
    taken = slot.dequeue()
    waited_s = time.monotonic() - sent_at
    sender.join()
    assert taken
    assert waited_s < 0.5  # without a word it would look again 0.7 s after the token was sent


def test_a_lost_connection_is_made_again(slot: TokenBroker) -> None:
    assert slot.dequeue() is None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND datname = current_database() "
            "AND pid <> pg_backend_pid()"  # who cleans up in it is the server's, not ours to end
        )
    wakeups.wake("cpu")
    assert slot.dequeue() is None
    assert slot.dequeue()


class Hostile:
    """Runs a program where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (self.mark,)


def _pushed(slot: TokenBroker) -> dict[str, Any]:
    """What django-q2's own loop hands to the worker."""
    stop, tasks = threading.Event(), SimpleQueue[dict[str, Any]]()
    stop.set()
    pusher(tasks, stop, slot)
    return tasks.get_nowait()


def _signed(content: object) -> str:
    """By the site's key, as a web server that was taken over would."""
    return str(SignedPackage.dumps(content))


def test_what_another_process_pickled_is_not_unpickled(slot: TokenBroker, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    signed = _signed({"func": Hostile(mark), "args": (), "kwargs": {}, "id": "1", "name": "a"})
    OrmQ.objects.create(key="cpu", payload=signed)
    task = _pushed(slot)
    assert (task["func"], task["args"], task["kwargs"]) == (wakeups.WORK, ("cpu",), {})
    assert not mark.exists()
    SignedPackage.loads(signed)
    assert mark.exists()  # so it would have


@pytest.mark.parametrize(
    "message",
    ["", "text", _signed("text"), _signed({"func": "os.system", "args": ("true",), "kwargs": {}})],
    ids=["empty", "text", "signed", "another_function"],
)
def test_whatever_a_token_says_it_means_its_lane(slot: TokenBroker, message: str) -> None:
    OrmQ.objects.create(key="cpu", payload=message)
    task = _pushed(slot)
    assert (task["func"], task["args"]) == (wakeups.WORK, ("cpu",))


def test_a_slot_of_the_version_before_reads_it(slot: TokenBroker) -> None:
    wakeups.wake("cpu")
    task = SignedPackage.loads(OrmQ.objects.get().payload)
    assert (task["func"], task["args"]) == (wakeups.WORK, ("cpu",))
    assert slot.dequeue()


def test_no_page_unpickles_a_message() -> None:
    """django-q2's pages in the admin do; they aren't there."""
    assert {model._meta.app_label for model in site._registry}.isdisjoint({"django_q"})


def test_nothing_of_ours_unpickles() -> None:
    root = Path(__file__).parents[2]
    unpickles = re.compile(r"\b(pickle|marshal|shelve|dill|cloudpickle)\b\.?|SignedPackage\.loads")
    folders = ("accounts", "ffapi_site", "media_jobs", "storage")
    sources = [path for folder in folders for path in (root / folder).rglob("*.py")]
    found = [path.name for path in sources if unpickles.search(path.read_text())]
    assert len(sources) > 300
    assert found == []
