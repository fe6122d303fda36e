"""The ASGI handler itself: what no client of the tests would send."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started

from ffapi_site.lib.streamed_body import StreamingASGIHandler

pytestmark = pytest.mark.django_db(transaction=True)


def _answered(content_type: bytes) -> int:
    sent: list[Any] = []
    given = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in given:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "root_path": "",
        "path": "/health/live",
        "raw_path": b"/health/live",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", content_type)],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    asyncio.run(StreamingASGIHandler()(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/json; charset*=bogus''x",
        b"multipart/form-data; boundary*=bogus''x",
        b"multipart/form-data; boundary*=idna''%ff",
        b"text/plain; a*=hex''zz",
        b"text/plain; a*0*=x; a*0=y",
        b"text/plain; a*=utf-8'",
        b"text/plain; a*99999999999999999999999=x",
        b"text/plain; =x;;",
        b"; x",
        b"\xff\xfe; a=b",
    ],
)
def test_a_type_that_can_t_be_read_is_none(content_type: bytes) -> None:
    assert _answered(content_type) == 200


def test_a_request_is_one_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its start, through all the middleware, to its end; the event loop only sends."""
    threads: list[threading.Thread] = []

    def note(*_: Any, **__: Any) -> None:
        threads.append(threading.current_thread())

    class Outermost:
        sync_capable = async_capable = True

        def __init__(self, get_response: Any) -> None:
            self.get_response = get_response

        def __call__(self, request: Any) -> Any:
            note()
            return self.get_response(request)

    monkeypatch.setattr(settings, "MIDDLEWARE", [f"{__name__}.Outermost", *settings.MIDDLEWARE])
    monkeypatch.setitem(globals(), "Outermost", Outermost)
    for each in (request_started, request_finished):
        each.connect(note)
    try:
        assert _answered(b"text/plain") == 200
    finally:
        for each in (request_started, request_finished):
            each.disconnect(note)
    assert len(threads) == 3
    assert len(set(threads)) == 1
    assert threads[0] is not threading.main_thread()
