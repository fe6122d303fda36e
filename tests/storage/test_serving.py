"""Over real sockets, where it matters how bytes come and go (R25)."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import httpx
import psutil
import pytest
import uvicorn
from django.db import connections
from pytest_django import Settings

from accounts.models import Tenant
from ffapi_site.asgi import application
from ffapi_site.lib import streamed_body
from storage.models import File
from tests.factories import FileFactory, TenantFactory
from tests.harness.api_client import key_of
from tests.harness.disks import free_mb, small_disk

pytestmark = pytest.mark.django_db(transaction=True)
MIB = 1024 * 1024
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.srt"\r\n\r\n'
END = b"\r\n--b--\r\n"
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


class Served(uvicorn.Server):
    """The whole site on a port of its own, in a thread."""

    @property
    def port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    # Each request has a thread of its own, with a connection that ends with it.
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    monkeypatch.setattr(streamed_body, "_LEFT_S", 0.3)  # for the rest of a body that nobody wants
    served = Served(uvicorn.Config(application, port=0, log_level="warning", lifespan="off"))
    thread = Thread(target=served.run)
    thread.start()
    wait_until(lambda: served.started)
    yield served
    served.should_exit = True
    thread.join(10)


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


@pytest.fixture
def client(server: Served, tenant: Tenant) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {key_of(tenant)}"}
    at = f"http://127.0.0.1:{server.port}"
    # Else the kernel takes many MiB on behalf of a client that reads nothing.
    small = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)]
    transport = httpx.HTTPTransport(socket_options=small)
    with httpx.Client(base_url=at, headers=headers, timeout=30, transport=transport) as client:
        yield client


def wait_until(holds: Callable[[], bool], within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def uploads(settings: Settings) -> list[Path]:
    return list(Path(str(settings.FILE_UPLOAD_TEMP_DIR)).iterdir())


def subtitles(size_bytes: int) -> bytes:
    return b"1\n00:00:00,000 --> 00:00:01,000\n".ljust(size_bytes, b"x")


def started(
    client: httpx.Client, length: int | None, kind: str = MULTIPART["Content-Type"]
) -> socket.socket:
    """A connection on which an upload has begun."""
    connection = socket.create_connection((client.base_url.host, client.base_url.port or 0))
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    connection.sendall(
        b"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + f"Authorization: {client.headers['Authorization']}\r\n".encode()
        + f"Content-Type: {kind}\r\n{framing}\r\n\r\n".encode()
    )
    return connection


def test_it_works(client: httpx.Client, settings: Settings) -> None:
    content = subtitles(5 * MIB)
    created = client.post("/v1/files", files={"file": ("a.srt", content)})
    assert created.status_code == 201, created.text
    link = created.json()["download_url"].removeprefix(settings.PUBLIC_BASE_URL)
    whole = httpx.get(f"{client.base_url}{link}")
    assert (whole.status_code, whole.content) == (200, content)
    part = client.get(link, headers={"Range": "bytes=1000000-3999999"})
    assert (part.status_code, part.content) == (206, content[1_000_000:4_000_000])
    assert part.headers["Content-Length"] == "3000000"


def test_without_a_length(client: httpx.Client) -> None:
    content = subtitles(3 * MIB)

    def chunks() -> Iterator[bytes]:
        yield HEAD
        for start in range(0, len(content), 100_000):
            yield content[start : start + 100_000]
        yield END

    created = client.post("/v1/files", content=chunks(), headers=MULTIPART)
    assert created.status_code == 201, created.text
    assert created.json()["size_bytes"] == len(content)


@pytest.fixture
def upload_disk(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A disk of 32 MiB for what is on its way in, of which 8 are the reserve."""
    settings.MIN_FREE_SPACE_MB = 8
    with small_disk(tmp_path / "small", 32 * MIB) as disk:
        settings.FILE_UPLOAD_TEMP_DIR = str(disk)
        yield disk


def test_what_has_no_length_can_t_fill_the_disk(
    client: httpx.Client, upload_disk: Path, settings: Settings
) -> None:
    """All begin while the disk is empty; the answer tells the reason and is no 500."""

    def chunks() -> Iterator[bytes]:
        yield HEAD
        for _ in range(320):
            least_free_mb.append(free_mb(upload_disk))
            yield bytes(100_000)
        yield END

    least_free_mb: list[float] = []
    with ThreadPoolExecutor(3) as threads:
        sent = [
            threads.submit(client.post, "/v1/files", content=chunks(), headers=MULTIPART)
            for _ in range(3)
        ]
    answers = [each.result() for each in sent if not each.exception()]
    full = [each for each in answers if each.status_code == 503]
    assert full
    assert {each.json()["code"] for each in full} == {"storage_full"}
    assert all(each.headers["Retry-After"] for each in full)
    assert {each.status_code for each in answers} <= {503, 422}
    assert min(least_free_mb) >= 8
    assert uploads(settings) == []


def test_json_in_pieces(client: httpx.Client) -> None:
    pieces = iter([b'{"url": ', b'"file:///etc', b'/passwd"}'])
    answer = client.post("/v1/files", content=pieces, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "url_scheme_not_allowed"


def test_json_in_too_many_pieces(client: httpx.Client) -> None:
    pieces = iter([b'{"url": "', *[b"x" * 65536] * 40, b'"}'])
    answer = client.post("/v1/files", content=pieces, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_too_large_by_its_length(client: httpx.Client, settings: Settings) -> None:
    settings.MAX_FILE_SIZE_BYTES = MIB
    with started(client, length=10**12) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")
    assert uploads(settings) == []


def test_too_large_while_it_comes(client: httpx.Client, settings: Settings) -> None:
    settings.MAX_FILE_SIZE_BYTES = MIB
    with started(client, length=None) as connection:
        sent_bytes = 0
        answer = b""
        connection.settimeout(0.01)
        while not answer and sent_bytes < 50 * MIB:
            piece = HEAD if not sent_bytes else b"x" * 65536
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            sent_bytes += len(piece)
            try:
                answer = connection.recv(1000)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 413")
    assert sent_bytes < 10 * MIB
    assert uploads(settings) == []
    assert not File.objects.exists()


@pytest.mark.parametrize("length", [10 * MIB, None])
def test_a_client_that_leaves_half_way(
    client: httpx.Client, settings: Settings, length: int | None
) -> None:
    with started(client, length) as connection:
        half = HEAD + subtitles(5 * MIB)
        connection.sendall(half if length else b"%x\r\n%s\r\n" % (len(half), half))
        wait_until(lambda: any(path.stat().st_size > 4 * MIB for path in uploads(settings)))
    wait_until(lambda: not uploads(settings))
    assert not File.objects.exists()
    assert client.get("/v1/files").status_code == 200


def test_a_client_that_stalls(client: httpx.Client, settings: Settings) -> None:
    settings.CLIENT_STALL_SECONDS = 1.5  # the test is to see it meanwhile, on a busy machine too
    with started(client, length=10 * MIB) as connection:
        connection.sendall(HEAD + subtitles(MIB))
        wait_until(lambda: bool(uploads(settings)))
        connection.settimeout(10)
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")
    assert uploads(settings) == []


def test_json_that_stalls(client: httpx.Client, settings: Settings) -> None:
    settings.CLIENT_STALL_SECONDS = 0.3
    for length in (100, 100_000):
        with started(client, length, "application/json") as connection:
            connection.sendall(b'{"url": ')
            connection.settimeout(10)
            assert connection.recv(1000).startswith(b"HTTP/1.1 400")


def test_a_client_that_trickles(client: httpx.Client, settings: Settings) -> None:
    settings.CLIENT_STALL_SECONDS = 0.5
    with started(client, length=10 * MIB) as connection:
        connection.sendall(HEAD)
        connection.settimeout(0.05)
        begun_at = time.monotonic()
        answer = b""
        while not answer and time.monotonic() < begun_at + 10:
            connection.sendall(b"x")
            try:
                answer = connection.recv(1000)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 400")
    assert uploads(settings) == []


def test_a_stranger_is_sent_away_before_the_body(server: Served, settings: Settings) -> None:
    at = f"http://127.0.0.1:{server.port}"
    with (
        httpx.Client(base_url=at, headers={"Authorization": "Bearer no"}) as stranger,
        started(stranger, length=100 * MIB) as connection,
    ):
        connection.sendall(HEAD)
        assert connection.recv(1000).startswith(b"HTTP/1.1 401")
    assert uploads(settings) == []


def test_memory_does_not_grow_with_the_file(
    client: httpx.Client, tenant: Tenant, settings: Settings
) -> None:
    settings.MAX_FILE_SIZE_BYTES = 150 * MIB
    process = psutil.Process()
    piece = b"x" * MIB
    before = process.memory_info().rss
    peak = 0

    def chunks() -> Iterator[bytes]:
        nonlocal peak
        yield HEAD + subtitles(MIB)
        for _ in range(100):
            yield piece
            peak = max(peak, process.memory_info().rss)
        yield END

    created = client.post("/v1/files", content=chunks(), headers=MULTIPART)
    assert created.status_code == 201
    with client.stream("GET", f"/v1/files/{created.json()['id']}/content") as response:
        for _ in response.iter_raw(MIB):
            peak = max(peak, process.memory_info().rss)
    assert peak - before < 50 * MIB


def test_who_waits_holds_no_connection(client: httpx.Client, tenant: Tenant) -> None:
    """As many slow clients as the pool has connections leave room for everybody else."""
    file = FileFactory.create(tenant=tenant, content=subtitles(20 * MIB), name="a.srt")
    at = f"/v1/files/{file.pk}/content"
    connected_before = connected()
    with started(client, length=10 * MIB) as uploading, client.stream("GET", at) as downloading:
        uploading.sendall(HEAD)
        pieces = downloading.iter_raw(1000)  # kept: its end would be that of the connection
        next(pieces)
        wait_until(lambda: connected() <= connected_before)


def test_who_sends_json_slowly_holds_none(client: httpx.Client) -> None:
    connected_before = connected()
    with ExitStack() as held:
        for length in (100, 100_000, 900_000):
            connection = held.enter_context(started(client, length, "application/json"))
            connection.sendall(b'{"url": ')
        time.sleep(0.5)  # the key was looked up by now
        wait_until(lambda: connected() <= connected_before, within_s=3)


def test_who_sends_small_bodies_slowly_holds_no_threads(client: httpx.Client) -> None:
    client.get("/v1/files")  # what the server's loop needs itself is there
    before = threading.active_count()
    with ExitStack() as held:
        for _ in range(8):
            connection = held.enter_context(started(client, 60_000, "application/json"))
            connection.sendall(b'{"url": ')
        time.sleep(0.5)
        assert threading.active_count() < before + 4


def test_a_slow_upload_holds_up_no_other(client: httpx.Client) -> None:
    with ExitStack() as held:
        for length in (10 * MIB, None):
            connection = held.enter_context(started(client, length))
            connection.sendall(HEAD if length else b"%x\r\n%s\r\n" % (len(HEAD), HEAD))
        time.sleep(0.5)
        other = client.post("/v1/files", files={"file": ("b.srt", subtitles(MIB))}, timeout=5)
    assert other.status_code == 201


def connected() -> int:
    """How many sessions the database serves."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_a_download_that_is_left_closes_its_file(client: httpx.Client, tenant: Tenant) -> None:
    file = FileFactory.create(tenant=tenant, content=subtitles(20 * MIB), name="a.srt")
    with client.stream("GET", f"/v1/files/{file.pk}/content") as response:
        pieces = response.iter_raw(1000)  # kept: its end would be that of the connection
        next(pieces)
        wait_until(lambda: opened(file))
    wait_until(lambda: not opened(file))


def opened(file: File) -> bool:
    return any(file.storage_key in each.path for each in psutil.Process().open_files())


@pytest.mark.django_db
def test_a_body_is_not_read_on_the_event_loop() -> None:
    """It would wait for itself."""

    async def read() -> None:
        streamed_body.StreamedBody(nothing).read(1)

    async def nothing() -> dict[str, object]:
        return {}

    with pytest.raises(RuntimeError, match="thread"):
        asyncio.run(read())
