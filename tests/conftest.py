from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.media import Samples


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Sample media by name, shared by all the test processes of a session."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "media"
    folder.mkdir(exist_ok=True)
    return Samples(folder)


@pytest.fixture(autouse=True, scope="session")
def _folders_of_this_process() -> None:
    """Let a test find only its own in a folder: the processes of a run share the data folder."""
    process = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    settings.SCRATCH_DIR = settings.SCRATCH_DIR / process
    uploads = Path(settings.FILE_UPLOAD_TEMP_DIR) / process
    uploads.mkdir(exist_ok=True)
    settings.FILE_UPLOAD_TEMP_DIR = str(uploads)


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Let no test leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            pytest.fail(f"a test connects to {address}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign,assignment]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


def _is_loopback(host: str) -> bool:
    return host == "localhost" or ip_address(host).is_loopback
