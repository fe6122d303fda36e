from __future__ import annotations

import gc
import threading
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
