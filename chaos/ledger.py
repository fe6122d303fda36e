"""What the clients know: every request they made, and what they were told."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    SHORT = "short"
    LONG = "long"
    BROKEN = "broken"
    CANCELED = "canceled"


@dataclass
class Entry:
    """One job that a client wanted, however often it had to ask."""

    key: str
    kind: Kind
    hook: str
    tries: int = 0
    job: str = ""
    """The id that a 2xx told."""


@dataclass(frozen=True)
class Answer:
    status: int
    seconds: float
    what: str
    has_retry_after: bool


@dataclass
class Ledger:
    entries: dict[str, Entry] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    broken_connections: int = 0
    began: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, entry: Entry) -> None:
        with self._lock:
            self.entries[entry.key] = entry

    def note(self, answer: Answer) -> None:
        with self._lock:
            self.answers.append(answer)

    def note_broken_connection(self) -> None:
        with self._lock:
            self.broken_connections += 1

    def unanswered(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if not entry.job]
