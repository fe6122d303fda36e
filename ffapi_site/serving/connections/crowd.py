"""The connections of one web process: how many there may be, and which makes room for another."""

from __future__ import annotations

from collections import defaultdict
from typing import Protocol


class Waiting(Protocol):
    """A connection, as far as the crowd has to do with it."""

    def make_room(self) -> None:
        """End at once; no request is in progress."""


# Each is there for the seconds in which it is told so; the next are let go without a word.
_MOST_TURNED_AWAY = 32


class Crowd:
    """At most ``most`` connections, and ``most_of_one`` of one address.

    A full place is taken from the connection that has waited longest for its client's request: one
    that sends nothing never keeps out one that does. Only requests in progress are sat out. For
    the event loop alone; nothing here is shared between threads.
    """

    def __init__(self, *, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._addresses: dict[Waiting, str] = {}
        self._counts: defaultdict[str, int] = defaultdict(int)
        # In the order in which they began to wait.
        self._waiting: dict[Waiting, None] = {}
        self._waiting_of: defaultdict[str, dict[Waiting, None]] = defaultdict(dict)
        self._turned_away: set[Waiting] = set()

    def __len__(self) -> int:
        return len(self._addresses)

    def enter(self, connection: Waiting, address: str) -> bool:
        """Take a new connection in, or tell that there is no place for it.

        An empty ``address`` has no limit of its own: it is one that many clients share.
        """
        is_one_too_many = bool(address) and self._counts[address] >= self._most_of_one
        if is_one_too_many and not self._ended_one_of(self._waiting_of[address]):
            return False
        if len(self) >= self._most and not self._ended_one_of(self._waiting):
            return False
        self._addresses[connection] = address
        self._counts[address] += 1
        self.wait(connection)
        return True

    def turn_away(self, connection: Waiting) -> bool:
        """Count one that found no place; tell whether it may be told so before it ends."""
        if len(self._turned_away) >= _MOST_TURNED_AWAY:
            return False
        self._turned_away.add(connection)
        return True

    def wait(self, connection: Waiting) -> None:
        """It waits for its client from now on: for a request, or to take what is left for it."""
        if connection in self._addresses:
            self._waiting[connection] = None
            self._waiting_of[self._addresses[connection]][connection] = None

    def work(self, connection: Waiting) -> None:
        """Its request has come."""
        if connection in self._waiting:
            del self._waiting[connection]
            del self._waiting_of[self._addresses[connection]][connection]

    def leave(self, connection: Waiting) -> None:
        self._turned_away.discard(connection)
        if connection not in self._addresses:
            return
        self.work(connection)
        address = self._addresses.pop(connection)
        self._counts[address] -= 1
        if not self._counts[address]:
            del self._counts[address]
            self._waiting_of.pop(address, None)

    def _ended_one_of(self, waiting: dict[Waiting, None]) -> bool:
        longest = next(iter(waiting), None)
        if longest is None:
            return False
        self.leave(longest)
        longest.make_room()
        return True
