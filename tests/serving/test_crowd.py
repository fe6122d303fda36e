from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ffapi_site.serving.connections.crowd import Crowd


@dataclass(eq=False)
class Client:
    ended: bool = field(default=False)

    def make_room(self) -> None:
        self.ended = True


@pytest.fixture
def crowd() -> Crowd:
    return Crowd(most=4, most_of_one=2)


def entered(crowd: Crowd, *addresses: str) -> list[Client]:
    clients = [Client() for _ in addresses]
    assert all(crowd.enter(each, address) for each, address in zip(clients, addresses, strict=True))
    return clients


def test_it_works(crowd: Crowd) -> None:
    assert not any(client.ended for client in entered(crowd, "a", "a", "b", "c"))
    assert len(crowd) == 4


def test_one_too_many_of_an_address_ends_its_own_longest(crowd: Crowd) -> None:
    stranger, first, second, third = entered(crowd, "b", "a", "a", "a")
    assert [each.ended for each in (stranger, first, second, third)] == [False, True, False, False]


def test_one_too_many_of_all_ends_the_longest(crowd: Crowd) -> None:
    clients = entered(crowd, "a", "b", "c", "d", "e")
    assert [each.ended for each in clients] == [True, False, False, False, False]


def test_who_asked_meanwhile_waits_anew(crowd: Crowd) -> None:
    first, second = entered(crowd, "a", "a")
    crowd.work(first)
    crowd.wait(first)
    entered(crowd, "a")
    assert (first.ended, second.ended) == (False, True)


def test_who_is_served_is_not_ended(crowd: Crowd) -> None:
    for each in entered(crowd, "a", "a"):
        crowd.work(each)
    assert not crowd.enter(Client(), "a")
    entered(crowd, "b")


def test_who_left_left_a_place(crowd: Crowd) -> None:
    first, second = entered(crowd, "a", "a")
    crowd.work(first)
    crowd.work(second)
    crowd.leave(first)
    crowd.leave(first)  # once more does no harm
    entered(crowd, "a")
    assert len(crowd) == 2


def test_what_many_share_has_no_bound_of_its_own(crowd: Crowd) -> None:
    assert not any(client.ended for client in entered(crowd, "", "", "", ""))
    assert len(crowd) == 4


def test_nothing_is_kept_of_who_left(crowd: Crowd) -> None:
    for number in range(100):
        [client] = entered(crowd, str(number))
        crowd.leave(client)
    assert len(crowd) == 0
    assert not crowd._counts
    assert not crowd._waiting_of
