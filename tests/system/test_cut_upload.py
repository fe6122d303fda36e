"""R14: an upload that breaks off leaves nothing, neither a file nor a part of one."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.harness.customer import Customer
from tests.harness.media import Samples
from tests.harness.server import eventually
from tests.harness.site import Site

pytestmark = pytest.mark.slow

BOUNDARY = "cut"


# What fits in the web server's buffers is no file yet.
LARGE = 8 << 20


def _half_an_upload(site: Site, customer: Customer, content: bytes) -> socket.socket:
    """Announce the whole of ``content`` and send the first half."""
    part = 'Content-Disposition: form-data; name="file"; filename="cut.mp4"'
    body = f"--{BOUNDARY}\r\n{part}\r\n\r\n".encode() + content
    head = (
        f"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {customer.key}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(body) + 12}\r\n\r\n"
    )
    address = urlsplit(site.server.url)
    sending = socket.create_connection((address.hostname or "", address.port or 80))
    sending.sendall(head.encode() + body[: len(body) // 2])
    return sending


def _parts(site: Site) -> list[Path]:
    return list((site.server.folder / "uploads").rglob("*.part"))


def test_it_works(site: Site, alice: Customer, media: Samples) -> None:
    content = media.path("film").read_bytes() + bytes(LARGE)
    with _half_an_upload(site, alice, content):
        assert eventually(lambda: bool(_parts(site)), within_s=10)
    assert eventually(lambda: not _parts(site), within_s=10)
    assert site.rows("SELECT id FROM storage_file WHERE name = 'cut.mp4'") == []


def test_the_whole_of_it_can_be_sent_afterwards(
    site: Site, alice: Customer, media: Samples
) -> None:
    _half_an_upload(site, alice, media.path("film").read_bytes()).close()
    file = alice.upload(media.path("film"))
    assert file["size_bytes"] == media.path("film").stat().st_size
