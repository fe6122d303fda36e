"""One request and its answer, over a connection that is kept or made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpcore

from ffapi_site.lib.netguard.connection import Line, checked_addresses
from ffapi_site.lib.netguard.deadline import Deadline
from ffapi_site.lib.netguard.policy import Policy, Refused
from ffapi_site.lib.netguard.pool import idle
from ffapi_site.lib.netguard.urls import Target

# A head may come a byte at a time; then this ends it long before a film's deadline would.
_HEAD_S: Final = 60.0
_ALWAYS: Final = {"User-Agent": "FFAPI", "Accept": "*/*", "Accept-Encoding": "identity"}


class Interrupted(Refused):
    """The server went away; it may answer when it is asked again."""

    is_passing = True


@dataclass(frozen=True)
class Question:
    method: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    stall_s: float | None = None

    def parts(self, target: Target) -> dict[str, Any]:
        sent = {**_ALWAYS, **self.headers, "Host": target.host_header}
        waits = {"read": self.stall_s, "write": self.stall_s}
        return {
            "headers": list(sent.items()),
            "content": self.body,
            "extensions": {"timeout": waits},
        }


@contextmanager
def answered(
    question: Question, target: Target, policy: Policy, deadline: Deadline
) -> Iterator[httpcore.Response]:
    """Ask; the answer's head is there, its body still to be read. Raises Refused.

    A kept connection that breaks before an answer is replaced, and the question asked again: what
    is posted must bear that, as a webhook does by its id.
    """
    with _translated(target), ExitStack() as held:
        with deadline.within(_HEAD_S):
            addresses = checked_addresses(target, policy, deadline)
            response = None
            if kept := idle.take(target, addresses):
                with suppress(httpcore.NetworkError, httpcore.ProtocolError):
                    response = held.enter_context(_asked(kept, deadline, question, target))
            if response is None:
                line = Line(target, addresses, deadline)
                response = held.enter_context(_asked(line, deadline, question, target))
        yield response


@contextmanager
def _asked(
    line: Line, deadline: Deadline, question: Question, target: Target
) -> Iterator[httpcore.Response]:
    try:
        with line.asked(deadline, question.method, target, **question.parts(target)) as response:
            yield response
    finally:
        idle.give_back(line)


@contextmanager
def _translated(target: Target) -> Iterator[None]:
    """Tell in one place what the far end did, without the words of our libraries."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise Interrupted("too_slow", f"{target.host} sent nothing for too long") from error
    except httpcore.NetworkError as error:
        raise Interrupted("url_unreachable", f"{target.host} cannot be reached") from error
    except httpcore.ProtocolError as error:
        raise Interrupted("bad_response", f"{target.host} does not speak proper HTTP") from error


def header(response: httpcore.Response, name: bytes) -> str | None:
    for key, value in response.headers:
        if key.lower() == name:
            return value.decode("latin-1").strip()
    return None
