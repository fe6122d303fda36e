"""An ASGI application that shows what the server does with connections; no Django in it."""

from __future__ import annotations

import asyncio
from typing import Any


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise RuntimeError(f"asked to speak {scope['type']}")
    answer = _ANSWERS.get(scope["path"], _whole)
    await answer(receive, send)


async def _start(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def _say(send: Any, text: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _whole(receive: Any, send: Any) -> None:
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await _say(send, b"%d" % size)


async def _unread(_receive: Any, send: Any) -> None:
    """Answer without a look at the body."""
    await _say(send, b"not read")


async def _slow(_receive: Any, send: Any) -> None:
    """Nothing for longer than any header may take, as a waiting request has it."""
    await asyncio.sleep(1.4)
    await _unread(_receive, send)


async def _stream(_receive: Any, send: Any) -> None:
    """A little all the time, as events come."""
    await _start(send)
    for _ in range(4):
        await send({"type": "http.response.body", "body": b"still here\n", "more_body": True})
        await asyncio.sleep(0.4)
    await send({"type": "http.response.body", "body": b"end\n"})


async def _endless(_receive: Any, send: Any) -> None:
    """More than any buffer takes, for a client that does not read."""
    await _start(send)
    while True:
        await send({"type": "http.response.body", "body": bytes(256 * 1024), "more_body": True})
        await asyncio.sleep(0)


async def _short(_receive: Any, send: Any) -> None:
    """Less than what writing is paused for."""
    await _say(send, bytes(60_000))


_ANSWERS = {
    "/unread": _unread,
    "/slow": _slow,
    "/stream": _stream,
    "/endless": _endless,
    "/short": _short,
}
