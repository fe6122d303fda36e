"""A site of the benchmark's own: a data folder, a database, a free port."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Site:
    port: int
    key: str
    server: psutil.Process

    @contextmanager
    def slots_asleep(self) -> Iterator[None]:
        """Stop the slots, so that what is posted stays queued while requests are counted."""
        children = self.server.children(recursive=True)
        guards = [each for each in children if "ffapi: slot" in " ".join(each.cmdline())]
        slots = {process for guard in guards for process in (guard, *guard.children(True))}
        for process in slots:
            process.suspend()
        try:
            yield
        finally:
            for process in slots:
                process.resume()


@contextmanager
def bench_site(far_end: str) -> Iterator[Site]:
    """Serve in a new data folder; this process gets the same settings, not yet read."""
    folder = ROOT / "var" / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    port = free_port()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "ffapi_site.settings",
        "FFAPI_DATA_DIR": str(folder),
        "PORT": str(port),
        "RATE_LIMIT_REQUESTS_PER_MINUTE": "1000000",
        "FFAPI_URL_ALLOWLIST": far_end,
    }
    server = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, stdout=-1)
    try:
        _await_ready(server)
        yield Site(port, _key()["key"], psutil.Process(server.pid))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _await_ready(server: subprocess.Popen[bytes]) -> None:
    if server.stdout is None or b"serves" not in server.stdout.readline():
        sys.exit("the benchmark's site did not come up")


def _key() -> Mapping[str, str]:
    command = [sys.executable, "manage.py", "create_api_key", "--tenant", "bench", "--json"]
    made = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    told: dict[str, str] = json.loads(made.stdout)
    return told


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
