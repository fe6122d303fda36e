from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django_q.brokers import get_broker

from media_jobs import queue
from media_jobs.broker import TokenBroker
from media_jobs.worker import gate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot() -> Iterator[TokenBroker]:
    """The broker of an idle slot of the lane ``cpu``."""
    broker = get_broker("cpu")
    assert isinstance(broker, TokenBroker)
    yield broker
    broker.close()
    gate.free.acquire(block=False)
    gate.free.release()


def done() -> None:
    gate.free.release()


def test_it_works(slot: TokenBroker) -> None:
    queue.wake("cpu")
    taken = slot.dequeue()
    assert taken is not None
    assert len(taken) == 1
    assert queue.waiting_tokens("cpu") == 0


def test_an_empty_queue_gives_nothing_and_leaves_the_slot_free(slot: TokenBroker) -> None:
    assert slot.dequeue() is None
    queue.wake("cpu")
    assert slot.dequeue()


def test_another_lane_s_token_stays(slot: TokenBroker) -> None:
    queue.wake("gpu")
    assert slot.dequeue() is None
    assert queue.waiting_tokens("gpu") == 1


def test_a_busy_slot_leaves_tokens_to_others(slot: TokenBroker) -> None:
    queue.wake("cpu")
    assert slot.dequeue()
    queue.wake("cpu")
    assert slot.dequeue() is None
    assert queue.waiting_tokens("cpu") == 1
    done()
    assert slot.dequeue()


def test_a_token_wakes_a_waiting_slot_at_once(slot: TokenBroker) -> None:
    assert slot.dequeue() is None  # listening from here on
    sent_at = 0.0

    def send() -> None:
        nonlocal sent_at
        time.sleep(0.3)
        sent_at = time.monotonic()
        queue.wake("cpu")
        connection.close()

    sender = threading.Thread(target=send)
    sender.start()
    taken = slot.dequeue()
    waited_s = time.monotonic() - sent_at
    sender.join()
    assert taken
    assert waited_s < 0.2  # the poll of django-q2's own broker alone is that long


def test_a_lost_connection_is_made_again(slot: TokenBroker) -> None:
    assert slot.dequeue() is None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    queue.wake("cpu")
    assert slot.dequeue() is None
    assert slot.dequeue()
