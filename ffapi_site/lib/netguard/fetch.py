from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final
from urllib.parse import urljoin

import httpcore

from ffapi_site.lib.netguard.connection import Deadline, opened
from ffapi_site.lib.netguard.names import file_name
from ffapi_site.lib.netguard.policy import Policy, Refused
from ffapi_site.lib.netguard.urls import Target, parse

_REDIRECTS: Final = 5
_REDIRECT_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
_ANSWER_BYTES: Final = 4096
_ALWAYS: Final = {"User-Agent": "FFAPI", "Accept": "*/*", "Accept-Encoding": "identity"}

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Downloaded:
    size_bytes: int
    content_type: str | None
    name: str
    final_url: str


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    """The first 4 KiB."""


def download(  # noqa: PLR0913 - keyword-only bounds, none of which may be forgotten
    url: str,
    to: BinaryIO | Callable[[bytes], None],
    *,
    policy: Policy,
    max_bytes: int,
    timeout_s: float,
    stall_s: float = 30,
    on_progress: Progress | None = None,
) -> Downloaded:
    """Fetch ``url`` into ``to``; raises Refused, after which ``to`` may hold a part.

    ``timeout_s`` bounds the whole, redirects included, ``stall_s`` the wait for the next bytes.
    What ``to`` and ``on_progress`` raise ends the download and comes through.
    """
    deadline = Deadline(timeout_s)
    target = parse(url, policy)
    for _ in range(_REDIRECTS + 1):
        with _sent("GET", target, policy, deadline, stall_s=stall_s) as response:
            if response.status not in _REDIRECT_STATUSES:
                size_bytes = _received(response, to, max_bytes, on_progress)
                return _downloaded(response, target, size_bytes)
            target = _next_target(response, target, policy)
    raise Refused("too_many_redirects", f"more than {_REDIRECTS} redirects")


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    policy: Policy,
    timeout_s: float,
) -> Answer:
    """Send ``body`` and return whatever is answered; a redirect is an answer, never followed."""
    deadline = Deadline(timeout_s)
    target = parse(url, policy)
    with _sent("POST", target, policy, deadline, headers=headers, body=body) as response:
        return Answer(response.status, _beginning(response))


@contextmanager
def _sent(  # noqa: PLR0913 - one request has this many parts
    method: str,
    target: Target,
    policy: Policy,
    deadline: Deadline,
    *,
    stall_s: float | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Iterator[httpcore.Response]:
    sent = {**_ALWAYS, **(headers or {}), "Host": target.host_header}
    waits = {"connect": stall_s, "read": stall_s, "write": stall_s}
    url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    with (
        _translated(target),
        opened(target, policy, deadline) as pool,
        pool.stream(
            method, url, headers=list(sent.items()), content=body, extensions={"timeout": waits}
        ) as response,
    ):
        yield response


@contextmanager
def _translated(target: Target) -> Iterator[None]:
    """Tell in one place what the far end did, without the words of our libraries."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise Refused("too_slow", f"{target.host} sent nothing for too long") from error
    except httpcore.NetworkError as error:
        raise Refused("url_unreachable", f"{target.host} cannot be reached") from error
    except httpcore.ProtocolError as error:
        raise Refused("bad_response", f"{target.host} does not speak proper HTTP") from error


def _header(response: httpcore.Response, name: bytes) -> str | None:
    for key, value in response.headers:
        if key.lower() == name:
            return value.decode("latin-1").strip()
    return None


def _next_target(response: httpcore.Response, target: Target, policy: Policy) -> Target:
    location = _header(response, b"location")
    if not location:
        raise Refused("bad_response", "a redirect without a target")
    try:
        joined = urljoin(target.url, location)
    except ValueError as error:
        raise Refused("url_invalid", "a redirect to something that is not a URL") from error
    return parse(joined, policy)


def _received(
    response: httpcore.Response,
    to: BinaryIO | Callable[[bytes], None],
    max_bytes: int,
    on_progress: Progress | None,
) -> int:
    announced = _announced_bytes(response, max_bytes)
    write = to if callable(to) else to.write
    received = 0
    for chunk in _chunks(response, announced):
        received += len(chunk)
        if received > max_bytes:
            raise _too_large(max_bytes)
        write(chunk)
        if on_progress is not None:
            on_progress(received, announced)
    return received


def _announced_bytes(response: httpcore.Response, max_bytes: int) -> int | None:
    if response.status != 200:
        raise Refused("bad_status", f"the server answered {response.status}")
    encoding = (_header(response, b"content-encoding") or "identity").lower()
    if encoding != "identity":
        raise Refused("encoding_not_allowed", f"the server sent {encoding!r} though not asked to")
    length = _header(response, b"content-length")
    announced = int(length) if length else None
    if announced is not None and announced > max_bytes:
        raise _too_large(max_bytes)
    return announced


def _chunks(response: httpcore.Response, announced: int | None) -> Iterator[bytes]:
    try:
        yield from response.iter_stream()
    except (httpcore.ProtocolError, httpcore.ReadError) as error:
        if announced is None:
            raise Refused("body_incomplete", "the connection ended before the body") from error
        detail = f"the connection ended before the {announced} bytes that were announced"
        raise Refused("content_length_mismatch", detail) from error


def _too_large(max_bytes: int) -> Refused:
    return Refused("too_large", f"more than {max_bytes} bytes")


def _downloaded(response: httpcore.Response, target: Target, size_bytes: int) -> Downloaded:
    content_type = (_header(response, b"content-type") or "").partition(";")[0].strip().lower()
    name = file_name(_header(response, b"content-disposition"), target.path)
    return Downloaded(size_bytes, content_type or None, name, target.url)


def _beginning(response: httpcore.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) >= _ANSWER_BYTES:
            break
    return bytes(body[:_ANSWER_BYTES])
