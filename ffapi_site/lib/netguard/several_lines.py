"""A long download over several connections, where that is quicker: many servers slow each one down.

The first goes on from the file's beginning, the others take segments from its end, until they meet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any, BinaryIO, Final, cast

import httpcore

from ffapi_site.lib.aside import TICK_S
from ffapi_site.lib.netguard.pieces import Piece, Version
from ffapi_site.lib.netguard.policy import Refused
from ffapi_site.lib.netguard.transfer import Progress, Transfer, changed

_MOST_LINES: Final = 4
_LEAST_BYTES: Final = 64 << 20
_SEGMENT_BYTES: Final = 8 << 20
# What is over by then needs no other line; and for so long each number of them is tried.
_TRIED_S: Final = 2.0
_GAIN: Final = 1.2
_PATIENCE_S: Final = 5.0
_READ_BYTES: Final = 1 << 20

Fetch = Callable[[Piece], object]
"""Fetches a piece over a line of its own."""


class SeveralLines(Transfer):
    """All of a file. Call ``close`` in the end, which ends the further lines."""

    def __init__(
        self, to: BinaryIO, max_bytes: int, on_progress: Progress | None, fetch: Fetch
    ) -> None:
        self._lock = Lock()
        self._file = to
        super().__init__(cast("BinaryIO", _Cursor(to, self._lock)), max_bytes, on_progress)
        self._fetch = fetch
        self._lines: list[Thread] = []
        self._others_from = 0
        """Where that begins which the others fetch."""
        self._others_bytes = 0
        self._failed: list[tuple[int, int]] = []
        self._is_over = False
        self._trial = _Trial(time.monotonic(), 0, 0.0)

    def tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.received + self._others_bytes, self.announced)

    def receive(self, response: httpcore.Response) -> None:
        super().receive(response)
        if self._lines:
            self._meet()

    def close(self) -> None:
        self._is_over = True
        for line in self._lines:  # which hears of it at its next tick
            line.join(4 * TICK_S)

    def _begin(self, response: httpcore.Response) -> None:
        if self._lines:
            raise changed()
        super()._begin(response)
        self._others_from = self.announced or 0
        self._trial = _Trial(time.monotonic(), 0, 0.0)

    def _chunks(self, response: httpcore.Response) -> Iterator[bytes]:
        for chunk in super()._chunks(response):
            yield chunk
            self._consider()
            if self._lines and self.received >= self._others_from:
                return

    def _write(self, chunk: bytes) -> None:
        # What others fetch is theirs: it is hashed as it lies there in the end.
        ours = chunk[: self._others_from - self.received] if self._lines else chunk
        if ours:
            super()._write(ours)

    def _consider(self) -> None:
        """Start a further line where the last one made it quicker."""
        now, got = time.monotonic(), self.received + self._others_bytes
        lasted_s = now - self._trial.began
        if lasted_s < _TRIED_S or len(self._lines) + 1 >= _MOST_LINES:
            return
        rate = (got - self._trial.got) / lasted_s
        gained = rate >= _GAIN * self._trial.earlier_rate
        if self._validator and gained and self._others_from - self.received >= _LEAST_BYTES:
            self._trial = _Trial(now, got, rate)
            line = Thread(target=self._fetch_segments, daemon=True, name="further line")
            self._lines.append(line)
            line.start()
        else:
            self._trial = _Trial(float("inf"), 0, 0.0)  # as many as there are will do

    def _fetch_segments(self) -> None:
        while segment := self._take():
            try:
                self._fetch(self._piece(*segment, self._go_on))
            except Exception:  # noqa: BLE001 -- whoever began fetches it again, and hears why
                self._failed.append(segment)
                return

    def _take(self) -> tuple[int, int] | None:
        with self._lock:
            end = self._others_from
            begin = end - _SEGMENT_BYTES
            if self._is_over or begin < self.received + _SEGMENT_BYTES:
                return None
            self._others_from = begin
            return begin, end

    def _piece(self, begin: int, end: int, on_progress: Progress) -> Piece:
        to = cast("BinaryIO", _Cursor(self._file, self._lock))
        version = Version(self.announced or 0, str(self._validator))
        return _Segment(to, version, begin, end, on_progress, count=self._count)

    def _go_on(self, _got: int, _of: int | None) -> None:
        if self._is_over:
            raise Refused("too_slow", "nobody waits for it any more")

    def _count(self, size_bytes: int) -> None:
        with self._lock:
            self._others_bytes += size_bytes

    def _meet(self) -> None:
        """Wait a while for what the others still fetch, and fetch what they could not."""
        until = time.monotonic() + _PATIENCE_S
        for line in self._lines:
            while line.is_alive():
                line.join(TICK_S)
                self.tell()
                self._is_over = time.monotonic() > until
        for begin, end in self._failed:
            self._fetch(self._piece(begin, end, lambda _got, _of: self.tell()))
        self._others_bytes = 0
        self._file.seek(self.received)
        while chunk := self._file.read(_READ_BYTES):
            self.digest.update(chunk)
            self.received += len(chunk)
            self.tell()


@dataclass(frozen=True)
class _Trial:
    """How quick it is with as many lines as there are, against one fewer; bytes and bytes/s."""

    began: float
    got: int
    earlier_rate: float


class _Segment(Piece):
    def __init__(self, *piece: Any, count: Callable[[int], object]) -> None:
        super().__init__(*piece)
        self._count = count

    def _write(self, chunk: bytes) -> None:
        super()._write(chunk)
        self._count(len(chunk))


class _Cursor:
    """One of several places at which a file is written."""

    def __init__(self, file: BinaryIO, lock: Lock) -> None:
        self._file = file
        self._lock = lock
        self._at = 0

    def seek(self, at: int) -> None:
        self._at = at

    def truncate(self) -> None:
        with self._lock:
            self._file.seek(self._at)
            self._file.truncate()

    def write(self, chunk: bytes) -> None:
        with self._lock:
            self._file.seek(self._at)
            self._file.write(chunk)
        self._at += len(chunk)
