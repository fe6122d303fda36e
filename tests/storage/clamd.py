"""A real clamd for the tests; its one signature is that of the standard test file."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.harness.server import eventually, free_port

# In two parts, so that no scanner takes this file for what it describes.
TEST_FILE = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
NAME = "Standard.Test.File"
LARGEST_STREAM_BYTES = 2 * 1024 * 1024


@contextmanager
def running() -> Iterator[tuple[str, str]]:
    """The daemon's two places: a socket's path, and host:port."""
    # A socket's path has at most 107 characters.
    with TemporaryDirectory(prefix="clamd") as name:
        folder = Path(name)
        port = free_port()
        (folder / "db").mkdir()
        (folder / "db" / "test.ndb").write_text(f"{NAME}:0:*:{TEST_FILE.hex()}\n")
        (folder / "clamd.conf").write_text(
            f"LocalSocket {folder}/socket\nTCPSocket {port}\nTCPAddr 127.0.0.1\nForeground yes\n"
            f"DatabaseDirectory {folder}/db\nTemporaryDirectory {folder}\nOfficialDatabaseOnly no\n"
            f"StreamMaxLength {LARGEST_STREAM_BYTES}\nMaxThreads 4\n"
        )
        with (folder / "log").open("wb") as log:
            command = [_program(), "--config-file", str(folder / "clamd.conf")]
            daemon = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ)
        try:
            assert eventually(lambda: _answers(folder / "socket"), within_s=60), (
                folder / "log"
            ).read_text()
            yield f"{folder}/socket", f"127.0.0.1:{port}"
        finally:
            daemon.terminate()
            daemon.wait(timeout=30)


def _program() -> str:
    found = shutil.which("clamd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, "clamd is missing: apt-get install clamav-daemon"
    return found


def _answers(place: Path) -> bool:
    with closing(socket.socket(socket.AF_UNIX)) as asking, suppress(OSError):
        asking.connect(str(place))
        asking.sendall(b"zPING\0")
        return asking.recv(16) == b"PONG\0"
    return False
