"""A job's changes as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.db import connection

from accounts import keys
from accounts.models import ApiKey
from ffapi_site.lib import scope
from media_jobs.api.job_schemas import to_json
from media_jobs.events.change_feed import feed
from media_jobs.models import Job

_HEARTBEAT_S = 10.0  # shorter than the time-outs of usual proxies
_AT_MOST_EVERY_S = 0.25
_LONGEST_S = 3600  # then the browser comes again


@dataclass(frozen=True)
class _Seen:
    data: bytes
    is_final: bool


@dataclass(frozen=True)
class Listener:
    """Who is told: a key, used from an address. What ends the key ends the stream."""

    api_key: ApiKey
    address: str

    def may_listen(self) -> bool:
        return keys.opens_still(self.api_key, self.address, "jobs:read")


def _look(job_id: str, listener: Listener) -> _Seen | None:
    try:
        if not listener.may_listen():
            return None
        with scope.within(listener.api_key.tenant_id):
            job = Job.objects.filter(pk=job_id).first()
            return _Seen(json.dumps(to_json(job)).encode(), job.is_final) if job else None
    finally:
        connection.close()  # this thread may not come again


async def events(job_id: str, listener: Listener) -> AsyncIterator[bytes]:
    """Tell the job at once and after every change, until its end or its deletion."""
    loop = asyncio.get_running_loop()
    changed, deadline = asyncio.Event(), loop.time() + _LONGEST_S
    number, told = 0, b""

    def wake() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(changed.set)

    # A coroutine and a socket each, no thread and no connection.
    with feed.on_change(job_id, wake):
        while loop.time() < deadline:
            changed.clear()
            seen = await sync_to_async(_look, thread_sensitive=False)(job_id, listener)
            if seen is None:
                return
            if seen.data != told:
                number, told = number + 1, seen.data
                yield b"event: job\nid: %d\ndata: %s\n\n" % (number, told)
            if seen.is_final:
                return
            await asyncio.sleep(_AT_MOST_EVERY_S)
            try:
                await asyncio.wait_for(changed.wait(), _HEARTBEAT_S)
            except TimeoutError:
                yield b": still here\n\n"
