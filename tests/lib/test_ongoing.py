from __future__ import annotations

import gc
import threading
import time
from contextlib import ExitStack

import pytest
from django.http import StreamingHttpResponse
from pytest_django import Settings

from ffapi_site.lib import ongoing
from ffapi_site.lib.ongoing import Places
from ffapi_site.lib.problems import TooManyRequests, Unavailable

# An answer that is closed lets go of the connections of its request.
pytestmark = pytest.mark.django_db


@pytest.fixture
def places(settings: Settings) -> Places:
    settings.AT_ONCE = {"cakes": 3}
    settings.AT_ONCE_PER_TENANT = {"cakes": 2}
    return Places("cakes")


def test_it_works(places: Places) -> None:
    with places.one_of("a"), places.one_of("a"):
        with pytest.raises(TooManyRequests) as refused, places.one_of("a"):
            pass
        with places.one_of("b"):
            assert (places.taken("a"), places.taken("b")) == (2, 1)
    assert (refused.value.code, refused.value.headers) == ("too_many_at_once", {"Retry-After": "5"})
    assert places.taken("a") == 0


def test_all_together_have_a_bound(places: Places) -> None:
    with places.one_of("a"), places.one_of("b"), places.one_of("c"):
        with pytest.raises(Unavailable) as refused, places.one_of("d"):
            pass
        assert (refused.value.code, refused.value.headers) == ("busy", {"Retry-After": "5"})


def test_the_fewer_are_free_the_less_of_them_one_gets(places: Places, settings: Settings) -> None:
    settings.AT_ONCE = {"cakes": 8}
    settings.AT_ONCE_PER_TENANT = {"cakes": 4}
    with ExitStack() as held:
        for tenant, got in (("a", 4), ("b", 2), ("c", 1), ("d", 1), ("e", 0)):
            for _ in range(got):
                held.enter_context(places.one_of(tenant))
            with pytest.raises((TooManyRequests, Unavailable)), places.one_of(tenant):
                pass


def test_a_place_comes_back_whatever_ends_it(places: Places) -> None:
    for _ in range(5):
        with pytest.raises(KeyError), places.one_of("a"):
            raise KeyError
    assert places.taken("a") == 0


def test_who_has_patience_gets_the_next(places: Places) -> None:
    with ExitStack() as held:
        held.enter_context(places.one_of("a"))
        held.enter_context(places.one_of("a"))
        threading.Timer(0.1, held.pop_all().close).start()
        with places.one_of("a", patience_s=10):
            pass


def test_patience_ends(places: Places) -> None:
    with places.one_of("a"), places.one_of("a"), pytest.raises(TooManyRequests):
        places.one_of("a", patience_s=0.05).__enter__()


def test_those_who_wait_have_their_turns_by_tenant(places: Places, settings: Settings) -> None:
    settings.AT_ONCE = settings.AT_ONCE_PER_TENANT = {"cakes": 1}
    served: list[str] = []

    def take(name: str) -> None:
        with places.one_of(name[0], patience_s=30):
            served.append(name)

    names = ["a1", "a2", "a3", "b1", "b2", "c1"]
    threads = [threading.Thread(target=take, args=(name,)) for name in names]
    with places.one_of("x"):
        for number, thread in enumerate(threads, start=1):
            thread.start()
            while len(places._waiting) < number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert served == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert not places._last_turns


_LOOK_S = 0.2


def test_three_that_never_pause_keep_no_fourth_out_for_longer_than_a_look(
    places: Places, settings: Settings
) -> None:
    settings.AT_ONCE = {"cakes": 4}
    settings.AT_ONCE_PER_TENANT = {"cakes": 2}
    over = threading.Event()

    def look_without_end(tenant: str) -> None:
        while not over.is_set():
            with places.one_of(tenant, patience_s=30):
                time.sleep(_LOOK_S)

    threads = [threading.Thread(target=look_without_end, args=(tenant,)) for tenant in "abc" * 8]
    for thread in threads:
        thread.start()
    waited_s = []
    try:
        time.sleep(_LOOK_S * 1.5)
        for _ in range(10):
            asked_at = time.monotonic()
            with places.one_of("d", patience_s=30):
                waited_s.append(time.monotonic() - asked_at)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert max(waited_s) < _LOOK_S * 1.5


def test_an_answer_has_its_place_until_it_is_closed(places: Places) -> None:
    answers = [StreamingHttpResponse(iter([b"x"])) for _ in range(2)]
    for each in answers:
        places.take("a").go_with(each)
    with pytest.raises(TooManyRequests):
        places.take("a")
    for each in answers:
        each.close()
        each.close()  # once more gives nothing back
    assert places.taken("a") == 0


def test_an_answer_that_nobody_closes_leaves_its_place(places: Places) -> None:
    places.take("a").go_with(StreamingHttpResponse(iter([b"x"])))
    gc.collect()
    assert places.taken("a") == 0


def test_of_fifty_at_once_as_many_as_fit(places: Places) -> None:
    together, most, running = threading.Barrier(50), 0, 0
    lock = threading.Lock()

    def take() -> None:
        nonlocal most, running
        together.wait()
        with places.one_of("a", patience_s=30):
            with lock:
                running += 1
                most = max(most, running)
            with lock:
                running -= 1

    threads = [threading.Thread(target=take) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most <= 2
    assert places.taken("a") == 0


def test_every_kind_has_its_bounds(settings: Settings) -> None:
    """One tenant at its bound leaves places for others, whatever the kind."""
    kinds = [each for each in vars(ongoing).values() if isinstance(each, Places)]
    assert len(kinds) >= 7
    for kind in kinds:
        assert settings.AT_ONCE_PER_TENANT[kind._kind] < settings.AT_ONCE[kind._kind]
