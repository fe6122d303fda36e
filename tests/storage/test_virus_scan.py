from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from storage.intake import virus_scan
from storage.intake.virus_scan import NotClean, ScannerUnavailable, scan
from storage.models import File
from tests.factories import TenantFactory
from tests.harness.api_client import client_of
from tests.harness.server import free_port
from tests.lib.hostile_server import HostileServer, answering, ok
from tests.storage import clamd
from tests.storage.test_upload import SUBTITLES, left_behind, send


@pytest.fixture(scope="module")
def places() -> Iterator[tuple[str, str]]:
    with clamd.running() as places:
        yield places


@pytest.fixture
def scanner(places: tuple[str, str], settings: Settings) -> str:
    settings.ENABLE_VIRUS_SCANNING = True
    settings.CLAMAV_SOCKET = places[0]
    return places[0]


def written(folder: Path, content: bytes) -> Path:
    path = folder / "x"
    path.write_bytes(content)
    return path


def infected(size_bytes: int = 300_000) -> bytes:
    """The test file somewhere behind the first pieces that are sent."""
    return bytes(size_bytes // 2) + clamd.TEST_FILE + bytes(size_bytes // 2)


@pytest.mark.parametrize("place", [0, 1], ids=["unix", "tcp"])
def test_it_works(places: tuple[str, str], place: int, settings: Settings, tmp_path: Path) -> None:
    settings.CLAMAV_SOCKET = places[place]
    asked: list[int] = []
    scan(written(tmp_path, bytes(1_000_000)), lambda: asked.append(1))
    assert len(asked) >= 1_000_000 // virus_scan._CHUNK_BYTES
    with pytest.raises(NotClean) as found:
        scan(written(tmp_path, infected()))
    assert found.value.code == "virus_found"
    assert clamd.NAME in found.value.detail


def test_a_file_that_the_scanner_does_not_take_is_not_clean(scanner: str, tmp_path: Path) -> None:
    with pytest.raises(NotClean) as found:
        scan(written(tmp_path, bytes(clamd.LARGEST_STREAM_BYTES + 1)))
    assert found.value.code == "too_large_to_scan"


@pytest.mark.parametrize(
    "answer",
    [b"", b"\0", b"stream: OK", b"stream: OK\nstream: OK\0", b"ERROR\0", b"x" * 9999, b"FOUND\0"],
)
def test_only_a_verdict_is_a_verdict(answer: bytes, settings: Settings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.CLAMAV_SOCKET = f"127.0.0.1:{listening.getsockname()[1]}"
        thread = threading.Thread(target=_answer_once, args=(listening, answer))
        thread.start()
        with pytest.raises(ScannerUnavailable):
            scan(written(tmp_path, b"x"))
        thread.join()


def _answer_once(listening: socket.socket, answer: bytes) -> None:
    asking, _ = listening.accept()
    with asking, suppress(OSError):  # an endless answer is not read to its end
        asking.recv(65536)
        asking.sendall(answer)
        asking.shutdown(socket.SHUT_WR)
        while asking.recv(65536):
            pass


def test_a_silent_scanner_ends(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virus_scan, "_VERDICT_S", 1.0)
    asked: list[int] = []
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.CLAMAV_SOCKET = f"127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(ScannerUnavailable):
            scan(written(tmp_path, b"x"), lambda: asked.append(1))
    assert time.monotonic() - started < 4
    assert len(asked) >= 3


@pytest.mark.django_db
def test_an_upload_is_scanned(scanner: str, settings: Settings) -> None:
    client = client_of(TenantFactory.create())
    assert send(client, SUBTITLES).status_code == 201
    File.objects.all().delete()
    response = send(client, SUBTITLES + clamd.TEST_FILE)
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/file", "virus_found")
    assert not File.objects.exists()
    assert left_behind(settings) == []


@pytest.mark.django_db
def test_an_import_is_scanned(scanner: str, settings: Settings) -> None:
    with HostileServer(answering(ok(SUBTITLES + clamd.TEST_FILE))) as server:
        settings.URL_ALLOWLIST = frozenset({server.authority})
        body = {"url": f"{server.url}/a.srt"}
        response = client_of(TenantFactory.create()).post(
            "/v1/files", body, content_type="application/json"
        )
    assert response.json()["errors"][0]["code"] == "virus_found"
    assert not File.objects.exists()


@pytest.mark.django_db
def test_without_a_scanner_nothing_is_taken(settings: Settings) -> None:
    settings.ENABLE_VIRUS_SCANNING = True
    for place in ("/nowhere/clamd", f"127.0.0.1:{free_port()}"):
        settings.CLAMAV_SOCKET = place
        response = send(client_of(TenantFactory.create()), SUBTITLES)
        assert (response.status_code, response.json()["code"]) == (503, "scanner_unavailable")
        assert response["Retry-After"]
        assert place not in response.content.decode()
    assert not File.objects.exists()
    assert left_behind(settings) == []


@pytest.mark.django_db
def test_where_it_is_off_nobody_is_asked(settings: Settings, client: Client) -> None:
    settings.CLAMAV_SOCKET = "/nowhere/clamd"
    assert send(client_of(TenantFactory.create()), SUBTITLES).status_code == 201
