"""The bytes of a download on their way into a file, and how to take it up again where it broke."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import BinaryIO, Final

import httpcore

from ffapi_site.lib.netguard.exchange import Interrupted, header
from ffapi_site.lib.netguard.policy import Refused
from ffapi_site.lib.netguard.waiting import retry_after_s

Progress = Callable[[int, int | None], None]

_STRONG_ETAG: Final = re.compile(r'"[\x21\x23-\x7e]{1,256}"')
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
# Of an overloaded or restarting server, or of the proxy before it.
_PASSING_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
# A film of a gigabyte needs twelve days at this pace; nobody's line is that slow.
_PACE_WINDOW_S: Final = 60.0
_SLOWEST_BYTES_PER_S: Final = 1000


class Transfer:
    """Counts, bounds and writes what comes; ``to`` holds ``received`` bytes of one version."""

    def __init__(self, to: BinaryIO, max_bytes: int, on_progress: Progress | None) -> None:
        self.received = 0
        self.announced: int | None = None
        self.digest = hashlib.sha256()
        self._to = to
        self._max_bytes = max_bytes
        self._on_progress = on_progress
        self._validator: str | None = None
        self._end: int | None = None
        """Where it is to stop, which is before the file's end."""
        self._window = (time.monotonic(), 0)

    @property
    def can_resume(self) -> bool:
        return self.received > 0 and self._validator is not None

    def resuming(self) -> dict[str, str]:
        """What to ask for: the rest, but the whole if it is another version (RFC 9110, 13.1.5)."""
        if not self.can_resume:
            return {}
        last = "" if self._end is None else self._end - 1
        return {"Range": f"bytes={self.received}-{last}", "If-Range": str(self._validator)}

    def tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.received, self.announced)

    def receive(self, response: httpcore.Response) -> None:
        """Write the body; raises Interrupted where it ends early, Refused for what is wrong."""
        encoding = (header(response, b"content-encoding") or "identity").lower()
        if encoding != "identity":
            detail = f"the server sent {encoding[:40]!r} though not asked to"
            raise Refused("encoding_not_allowed", detail)
        self._accept(response)
        for chunk in self._chunks(response):
            self._write(chunk)

    def _accept(self, response: httpcore.Response) -> None:
        if response.status == 206 and self.can_resume:
            self._continue(response)
        elif response.status == 200:
            self._begin(response)
        else:
            detail = f"the server answered {response.status}"
            is_passing, after_s = response.status in _PASSING_STATUSES, retry_after_s(response)
            raise Refused("bad_status", detail, is_passing=is_passing, retry_after_s=after_s)

    def _begin(self, response: httpcore.Response) -> None:
        length = header(response, b"content-length")
        self._expect(int(length) if length else None)
        self._validator = validator_of(response)
        self.received, self.digest = 0, hashlib.sha256()
        self._to.seek(0)
        self._to.truncate()

    def _continue(self, response: httpcore.Response) -> None:
        first, last, total = content_range(response)
        size_bytes = int(last) + 1 if total == "*" else int(total or 0)
        tag = header(response, b"etag")
        end = size_bytes if self._end is None else self._end
        is_the_rest = first == str(self.received) and end == int(last or 0) + 1
        is_same = self.announced in (None, size_bytes) and tag in (None, self._etag(tag))
        if not (is_the_rest and is_same):
            raise changed()
        self._expect(size_bytes)

    def _etag(self, tag: str | None) -> str | None:
        """What the answer's ETag must be; anything, where the version is told by its date."""
        by_tag = self._validator is not None and self._validator.startswith('"')
        return self._validator if by_tag else tag

    def _expect(self, size_bytes: int | None) -> None:
        if size_bytes is not None and size_bytes > self._max_bytes:
            raise self._too_large()
        self.announced = size_bytes

    def _chunks(self, response: httpcore.Response) -> Iterator[bytes]:
        try:
            yield from response.iter_stream()
        except (httpcore.ProtocolError, httpcore.ReadError) as error:
            if self.announced is None:
                detail = "the connection ended before the body"
                raise Interrupted("body_incomplete", detail) from error
            detail = f"the connection ended before the {self.announced} bytes that were announced"
            raise Interrupted("content_length_mismatch", detail) from error
        end = self.announced if self._end is None else self._end
        if end not in (None, self.received):
            detail = f"{self.received} bytes came where {end} were announced"
            raise Refused("content_length_mismatch", detail)

    def _write(self, chunk: bytes) -> None:
        if self.received + len(chunk) > self._max_bytes:
            raise self._too_large()
        if self._end is not None and self.received + len(chunk) > self._end:
            raise changed()
        self._to.write(chunk)
        self.digest.update(chunk)
        self.received += len(chunk)
        self._keep_pace()
        self.tell()

    def _keep_pace(self) -> None:
        began, received = self._window
        lasted_s = time.monotonic() - began
        if lasted_s >= _PACE_WINDOW_S:
            if self.received - received < lasted_s * _SLOWEST_BYTES_PER_S:
                raise Refused("too_slow", "the server sends less than a kilobyte a second")
            self._window = (time.monotonic(), self.received)

    def _too_large(self) -> Refused:
        return Refused("too_large", f"more than {self._max_bytes} bytes")


def changed() -> Refused:
    detail = "the file changed while it was fetched, or its parts do not fit"
    return Refused("content_changed", detail, is_passing=True)


def content_range(response: httpcore.Response) -> tuple[str, str, str]:
    """First and last byte and the whole length, as the header has them; empty without one."""
    found = _CONTENT_RANGE.fullmatch(header(response, b"content-range") or "")
    return (found[1], found[2], found[3]) if found else ("", "", "")


def validator_of(response: httpcore.Response) -> str | None:
    """What tells this version from another for sure; None where nothing does."""
    if (header(response, b"accept-ranges") or "").lower() == "none":
        return None
    etag = header(response, b"etag")
    if etag is not None:
        return etag if _STRONG_ETAG.fullmatch(etag) else None
    changed, now = header(response, b"last-modified"), header(response, b"date")
    try:
        # Dates count seconds: only one that is past for a while names one version (8.8.2.2).
        age = parsedate_to_datetime(now or "") - parsedate_to_datetime(changed or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return changed if age >= timedelta(seconds=60) else None
