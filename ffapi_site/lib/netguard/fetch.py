from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import BinaryIO, Final
from urllib.parse import urljoin

from ffapi_site.lib.netguard.deadline import Deadline
from ffapi_site.lib.netguard.exchange import Interrupted, Question, answered, header
from ffapi_site.lib.netguard.names import file_name
from ffapi_site.lib.netguard.pieces import Beginning, NotInPieces, Piece, Version
from ffapi_site.lib.netguard.policy import Policy, Refused
from ffapi_site.lib.netguard.several_lines import SeveralLines
from ffapi_site.lib.netguard.transfer import Progress, Transfer
from ffapi_site.lib.netguard.urls import Target, of_location, parse
from ffapi_site.lib.netguard.waiting import retry_after_s

_REDIRECTS: Final = 5
_REDIRECT_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
_ANSWER_BYTES: Final = 4096
_RESUME_AFTER_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_WORTHWHILE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class Downloaded:
    size_bytes: int
    content_type: str | None
    name: str
    final_url: str
    sha256: str
    """Of what was received."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    """The first 4 KiB."""
    retry_after_s: float | None = None
    """How long it asks to be left alone, unbounded."""


def download(  # noqa: PLR0913 - keyword-only bounds, none of which may be forgotten
    url: str,
    to: BinaryIO,
    *,
    policy: Policy,
    max_bytes: int,
    timeout_s: float,
    stall_s: float = 30,
    on_progress: Progress | None = None,
) -> Downloaded:
    """Fetch ``url`` into the empty file ``to``; raises Refused, after which it may hold a part.

    ``to`` can be read, too. ``timeout_s`` bounds the whole, redirects included, ``stall_s`` the
    wait for the next bytes. A download that breaks off is taken up again where the server can tell
    that the file is the same, and a long one is fetched over several connections there.
    ``on_progress`` is called with each piece and at least twice a second; what it raises ends the
    download and comes through.
    """
    target, until = parse(url, policy), time.monotonic() + timeout_s

    def fetch(piece: Piece) -> None:
        deadline = Deadline(until - time.monotonic(), piece.tell)
        _Fetch(piece, policy, deadline, stall_s).run(target)

    with closing(SeveralLines(to, max_bytes, on_progress, fetch)) as transfer:
        deadline = Deadline(timeout_s, transfer.tell)
        return _Fetch(transfer, policy, deadline, stall_s).run(target)


def begin(  # noqa: PLR0913 - keyword-only bounds, none of which may be forgotten
    url: str,
    to: BinaryIO,
    *,
    policy: Policy,
    max_bytes: int,
    timeout_s: float,
    stall_s: float = 30,
    on_progress: Progress | None = None,
) -> Remote | Downloaded:
    """Fetch the first bytes of ``url`` into the empty file ``to``, which then has its full length.

    Bounds, and what is raised, are those of `download`, over all pieces together. Where the server
    can't give the rest in pieces, all of it is fetched.
    """
    target = parse(url, policy)
    whole = Transfer(to, max_bytes, on_progress)
    deadline = Deadline(timeout_s, whole.tell)
    first = Beginning(to, max_bytes, on_progress)
    try:
        found = _Fetch(first, policy, deadline, stall_s).run(target)
    except NotInPieces:
        return _Fetch(whole, policy, deadline, stall_s).run(target)
    if first.version is None:
        return found
    to.truncate(first.version.size_bytes)
    found = replace(found, size_bytes=first.version.size_bytes)
    return Remote(found, first.version, policy, deadline, stall_s, on_progress)


@dataclass(frozen=True)
class Remote:
    """A file at an address, of which its server gives any part; ``found.size_bytes`` is all."""

    found: Downloaded
    version: Version
    _policy: Policy
    _deadline: Deadline
    _stall_s: float
    _on_progress: Progress | None

    def fetch(self, to: BinaryIO, begin: int, end: int) -> None:
        """Write the bytes from ``begin`` to before ``end`` to their place in the file ``to``."""
        piece = Piece(to, self.version, begin, end, self._on_progress)
        target = parse(self.found.final_url, self._policy)
        _Fetch(piece, self._policy, self._deadline, self._stall_s).run(target)


@dataclass
class _Fetch:
    transfer: Transfer
    policy: Policy
    deadline: Deadline
    stall_s: float

    def run(self, target: Target) -> Downloaded:
        """Follow redirects to the file, fetch it, and take it up again there if it breaks off."""
        pauses = list(_RESUME_AFTER_S)
        while True:
            begun_at = self.transfer.received
            try:
                return self._followed(target)
            except _Broken as broken:
                if self.transfer.received - begun_at >= _WORTHWHILE_BYTES:
                    pauses = list(_RESUME_AFTER_S)
                if not pauses:
                    raise broken.why from None
                target = broken.target
                self.deadline.pause(pauses.pop(0))

    def _followed(self, target: Target) -> Downloaded:
        for _ in range(_REDIRECTS + 1):
            try:
                step = self._step(target)
            except Interrupted as why:
                if not self.transfer.can_resume:
                    raise
                raise _Broken(target, why) from why
            if isinstance(step, Downloaded):
                return step
            target = step
        raise Refused("too_many_redirects", f"more than {_REDIRECTS} redirects")

    def _step(self, target: Target) -> Downloaded | Target:
        question = Question("GET", self.transfer.resuming(), stall_s=self.stall_s)
        with answered(question, target, self.policy, self.deadline) as response:
            if response.status in _REDIRECT_STATUSES:
                location = header(response, b"location")
                if not location:
                    raise Refused("bad_response", "a redirect without a target")
                try:
                    joined = urljoin(target.url, of_location(location))
                except ValueError as error:
                    detail = "a redirect to something that is not a URL"
                    raise Refused("url_invalid", detail) from error
                return parse(joined, self.policy)
            self.transfer.receive(response)
            name = file_name(header(response, b"content-disposition"), target.path)
            declared = header(response, b"content-type") or ""
            content_type = declared.partition(";")[0].strip().lower() or None
            size_bytes, sha256 = self.transfer.received, self.transfer.digest.hexdigest()
            return Downloaded(size_bytes, content_type, name, target.url, sha256)


class _Broken(Exception):  # noqa: N818 - what happened
    def __init__(self, target: Target, why: Interrupted) -> None:
        super().__init__(str(why))
        self.target = target
        self.why = why


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, policy: Policy, timeout_s: float
) -> Answer:
    """Send ``body`` and return whatever is answered; a redirect is an answer, never followed."""
    target = parse(url, policy)
    question = Question("POST", headers, body)
    with answered(question, target, policy, Deadline(timeout_s)) as response:
        beginning = bytearray()
        for chunk in response.iter_stream():
            beginning += chunk
            if len(beginning) >= _ANSWER_BYTES:
                break
        told = bytes(beginning[:_ANSWER_BYTES])
        return Answer(response.status, told, retry_after_s(response))
