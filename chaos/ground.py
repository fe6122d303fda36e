"""The site that is to be harmed: its own data folder, database, scratch disk, clock and port."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from chaos.clock import Clock
from chaos.preloaded import CanNotPreload, Preloaded
from chaos.withheld import Withheld
from ffapi_site.database import embedded as database
from tests.harness.customer import Customer
from tests.harness.server import ROOT, Server, free_port
from tests.harness.site import Site

LEASE_S = 4
SLOTS = 2
RESERVE_MB = 128
_DISK_MB = 1536
_SCRATCH_MB = 768

Kind = TypeVar("Kind", bound=Preloaded)


@dataclass
class Ground:
    server: Server
    clock: Clock | None
    withheld: Withheld | None
    missing: dict[str, str]
    """What can't be harmed here, and why."""
    violations: list[str] = field(default_factory=list)
    """What faults saw that must not be, which nothing tells of afterwards."""

    @property
    def folder(self) -> Path:
        return self.server.folder

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def site(self) -> Site:
        return Site(self.server, self.folder / "refused")

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        place = database.socket_folder(self.folder / "postgres")
        options = "-c statement_timeout=20000"
        with psycopg.connect(
            host=place, user="postgres", dbname="postgres", connect_timeout=5, options=options
        ) as connection:
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def customer(self, name: str) -> Customer:
        return self.site.customer(name)

    def crash(self) -> None:
        """End everything at once, as a loss of power would."""
        for process in self.server.processes():
            process.kill()
        self.server.process.wait()
        self.server.output.close()

    def start(self) -> None:
        fresh = Server.start(self.folder, port=self.server.port, settings=self.server.settings)
        self.server.process = fresh.process
        self.server.await_line("FFAPI serves")


@contextmanager
def ground(name: str, far_end: str) -> Iterator[Ground]:
    """Serve in a new data folder; at the end nothing of it is left."""
    folder = ROOT / "var" / "chaos" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    missing: dict[str, str] = {}
    with (
        _small_disk(folder, _DISK_MB, 0o755, "fill_by_uploads", missing),
        _small_disk(folder / "scratch", _SCRATCH_MB, 0o700, "fill_scratch", missing),
    ):
        clock = _preloadable(Clock, folder, ("jump_clock",), missing)
        withheld = _preloadable(Withheld, folder, ("swallow_commit", "slow_flush"), missing)
        settings = _settings(far_end) | _preloaded(clock, withheld)
        server = Server.start(folder, port=free_port(), settings=settings)
        with server:
            server.await_line("FFAPI serves")
            yield Ground(server, clock, withheld, missing)
    shutil.rmtree(folder, ignore_errors=True)


def _settings(far_end: str) -> dict[str, str]:
    return {
        "WORKERS": str(SLOTS),
        "LEASE_SECONDS": str(LEASE_S),
        "SHUTDOWN_GRACE_SECONDS": "4",
        "FFMPEG_STALL_SECONDS": "5",
        "JOB_MAX_RETRIES": "20",
        "JOB_RETRY_DELAY": "0.05",
        "MIN_FREE_SPACE_MB": str(RESERVE_MB),
        "MAX_FILE_SIZE_MB": "64",  # half of it is reserved for an input that nobody has seen
        "RATE_LIMIT_REQUESTS_PER_MINUTE": "1000000",
        "FFAPI_URL_ALLOWLIST": far_end,
    }


def _preloaded(*given: Preloaded | None) -> dict[str, str]:
    preloaded = [each.settings for each in given if each]
    together = ":".join(each["LD_PRELOAD"] for each in preloaded)
    settings = {name: value for each in preloaded for name, value in each.items()}
    return settings | ({"LD_PRELOAD": together} if together else {})


def _preloadable(
    kind: type[Kind], folder: Path, faults: tuple[str, ...], missing: dict[str, str]
) -> Kind | None:
    try:
        return kind.made_in(folder)
    except CanNotPreload as why:
        missing.update(dict.fromkeys(faults, str(why)))
        return None


@contextmanager
def _small_disk(
    folder: Path, size_mb: int, mode: int, fault: str, missing: dict[str, str]
) -> Iterator[None]:
    """Put a new folder on a small disk of its own, which can be filled by ``fault``."""
    folder.mkdir(mode=mode)
    options = f"size={size_mb}m,mode={mode:o}"
    mount = ["mount", "-t", "tmpfs", "-o", options, "chaos", str(folder)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        missing[fault] = f"no disk can be mounted: {mounted.stderr.strip()}"
    try:
        yield
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)
