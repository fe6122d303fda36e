"""R5: whoever watches over a guard hears of it while its heartbeat waits for the database."""

from __future__ import annotations

import multiprocessing
import time
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import connection

from ffapi_site.lib import chores
from media_jobs.host import slot_state
from media_jobs.models import Slot
from media_jobs.slot import process
from media_jobs.slot.process import Guard

pytestmark = pytest.mark.django_db(transaction=True)
_HELD_S = 3.0
_REFUSED_S = 4.0


@pytest.fixture(autouse=True)
def _a_slot_that_has_just_begun() -> None:
    """What another test's slot left in the memory that slots share would be a hang of this one."""
    for moment in (slot_state.taken_at, slot_state.sentinel_at, slot_state.pusher_at):
        moment.value = 0.0


def test_it_goes_on_and_beats_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_HEARTBEAT_S", 0.1)
    said: list[float] = []
    one = Guard("cpu", 1, lambda: said.append(time.monotonic()))
    one._row["sandbox"] = {"allowed": True, "level": "full"}
    started = time.monotonic()
    slot: Any = SimpleNamespace(sentinel=_process(_HELD_S))
    told = connection.settings_dict
    owner = told["OWNER"]["USER"]
    with psycopg.connect(dbname=told["NAME"], host=told["HOST"], user=owner) as other:
        other.execute("LOCK TABLE media_jobs_slot IN ACCESS EXCLUSIVE MODE")
        beating = one._keep_beating(slot)
        began = time.monotonic()
        one._watch(slot)
    assert time.monotonic() - started >= _HELD_S
    moments = [began, *said, time.monotonic()]
    assert max(b - a for a, b in pairwise(moments)) < 1
    until = time.monotonic() + 20
    while not Slot.objects.filter(name=one.name).exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    one._over.set()
    beating.join(20)
    assert not beating.is_alive()


def _process(length_s: float) -> multiprocessing.process.BaseProcess:
    sentinel = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(length_s,))
    sentinel.start()
    return sentinel


def test_a_heartbeat_that_never_ends_ends_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended(Exception):  # noqa: N818
        pass

    def end(why: str) -> None:
        raise Ended(why)

    monkeypatch.setattr(chores, "end_process", end)
    monkeypatch.setattr(process, "_HEARTBEAT_S", 0.1)
    monkeypatch.setattr(process, "_BEAT_PATIENCE_S", 1.0)
    one = Guard("cpu", 1)
    slot: Any = SimpleNamespace(sentinel=_process(30))
    told = connection.settings_dict
    owner = told["OWNER"]["USER"]
    with psycopg.connect(dbname=told["NAME"], host=told["HOST"], user=owner) as other:
        other.execute("LOCK TABLE media_jobs_slot IN ACCESS EXCLUSIVE MODE")
        beating = one._keep_beating(slot)
        with pytest.raises(Ended, match="heartbeat does not end"):
            one._watch(slot)
    slot.sentinel.kill()
    one._over.set()
    beating.join(20)


def test_it_beats_soon_after_the_database_has_refused_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk was full, say: a slot that is silent for longer is taken to be down."""
    monkeypatch.setattr(process, "_HEARTBEAT_S", 0.1)
    one = Guard("cpu", 1)
    one._row["sandbox"] = {"allowed": True, "level": "full"}
    slot: Any = SimpleNamespace(sentinel=_process(30))
    told = connection.settings_dict
    rights, role = "INSERT, UPDATE ON media_jobs_slot", told["USER"]
    place = {"dbname": told["NAME"], "host": told["HOST"], "user": told["OWNER"]["USER"]}
    with psycopg.connect(**place, autocommit=True) as owner:
        owner.execute(f"REVOKE {rights} FROM {role}")
        beating = one._keep_beating(slot)
        time.sleep(_REFUSED_S)
        owner.execute(f"GRANT {rights} TO {role}")
    until = time.monotonic() + _REFUSED_S / 2
    while not Slot.objects.filter(name=one.name).exists() and time.monotonic() < until:
        time.sleep(0.05)
    one._over.set()
    beating.join(20)
    slot.sentinel.kill()
    assert Slot.objects.filter(name=one.name).exists()
