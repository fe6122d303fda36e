"""R25: what a connection costs the server below the sizes at which its event loop is told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from pytest_django import Settings

from ffapi_site.serving.connections.crowd import Crowd
from ffapi_site.serving.connections.protocol import Connection
from tests.serving.tiny_site import application

PLACES = 2
REFUSED = 100
ALL_THE_TIME_S = 10


class Site:
    """One process's event loop, before the same application as `test_connections` has."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.crowd = Crowd(most=PLACES, most_of_one=PLACES)
        self.port = 0

    @property
    def unsent(self) -> list[int]:
        made = [each.transport for each in self.connections if each.transport]
        return [each.get_write_buffer_size() for each in made]

    async def come(self, clients: ExitStack, path: str, fields: str = "") -> socket.socket:
        """A client that asks, and reads nothing by itself."""
        client = clients.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", self.port))
        request = f"GET {path} HTTP/1.1\r\nHost: here\r\n{fields}\r\n"
        await loop.sock_sendall(client, request.encode())
        return client


@asynccontextmanager
async def serving() -> AsyncIterator[Site]:
    site, loop, config = Site(), asyncio.get_running_loop(), Config()
    about = {"nr_conns": 0, "nr": 0, "max_requests": 10**9, "alive": True, "state": {}}
    worker = SimpleNamespace(
        cfg=config, log=Logger(config), asgi=application, loop=loop, crowd=site.crowd, **about
    )

    def connection() -> Connection:
        site.connections.append(Connection(worker))
        return site.connections[-1]

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)  # the kernel takes little
    listener.bind(("127.0.0.1", 0))
    site.port = listener.getsockname()[1]
    async with await loop.create_server(connection, sock=listener, backlog=REFUSED):
        yield site
        for each in site.connections:
            if not each._conn_lost_handled:
                each.make_room()


def runs(story: Callable[[Site, ExitStack], Awaitable[None]]) -> None:
    async def whole() -> None:
        with ExitStack() as clients:
            async with asyncio.timeout(ALL_THE_TIME_S), serving() as site:
                await story(site, clients)

    asyncio.run(whole())


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 -- the product says nothing when it has come so far
        await asyncio.sleep(0.02)


CLOSE = "Connection: close\r\n"


@pytest.mark.parametrize("fields", [CLOSE, ""])
def test_who_leaves_the_last_bytes_unread_is_let_go(settings: Settings, fields: str) -> None:
    settings.CLIENT_STALL_SECONDS = 1

    async def story(site: Site, clients: ExitStack) -> None:
        await site.come(clients, "/short", fields)
        await until(lambda: any(site.unsent))
        assert not site.connections[0]._reading_timer  # it is too little for writing to pause
        await until(lambda: len(site.crowd) == 0)

    runs(story)


def test_and_makes_room_before(settings: Settings) -> None:
    settings.CLIENT_STALL_SECONDS = 60

    async def story(site: Site, clients: ExitStack) -> None:
        for _ in range(PLACES):
            await site.come(clients, "/short", CLOSE)
        await until(lambda: len(site.crowd._waiting) == PLACES)
        assert all(site.unsent)
        honest = await site.come(clients, "/unread")
        told = await asyncio.get_running_loop().sock_recv(honest, 100)
        assert told.startswith(b"HTTP/1.1 200")

    runs(story)


def test_who_reads_slowly_gets_all_of_it(settings: Settings) -> None:
    settings.CLIENT_STALL_SECONDS = 1

    async def story(site: Site, clients: ExitStack) -> None:
        client, loop, got = await site.come(clients, "/short", CLOSE), asyncio.get_running_loop(), 0
        await until(lambda: any(site.unsent))
        while part := await loop.sock_recv(client, 2048):
            got += len(part)
            await asyncio.sleep(0.12)
        assert got > 60_000

    runs(story)


def test_of_many_without_a_place_few_stay_to_be_told() -> None:
    async def story(site: Site, clients: ExitStack) -> None:
        for _ in range(PLACES):
            await site.come(clients, "/slow")
        await until(lambda: not site.crowd._waiting)
        for _ in range(REFUSED):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", site.port))
        await until(lambda: len(site.connections) == PLACES + REFUSED)
        await asyncio.sleep(0.1)
        there = [each for each in site.connections if not each._conn_lost_handled]
        assert len(there) < REFUSED / 2

    runs(story)
