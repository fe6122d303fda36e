"""A real ``manage.py serve`` for tests: its own data folder, database and port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

import httpx
import psutil

from tests.harness import migrated

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    folder: Path
    port: int
    process: subprocess.Popen[str]
    settings: dict[str, str] = field(default_factory=dict)
    python: tuple[str, ...] = (sys.executable,)

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        port: int | None = None,
        command: str = "serve",
        settings: dict[str, str] | None = None,
        python: tuple[str, ...] = (sys.executable,),
    ) -> Self:
        port, settings = port or free_port(), settings or {}
        if command == "serve" and "DATABASE_URL" not in settings:
            migrated.put(folder / "postgres")
        if command == "serve":
            migrated.put_statics(folder)
        process = subprocess.Popen(
            [*python, "manage.py", *command.split()],
            cwd=ROOT,
            env=environment(folder, port) | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return cls(folder, port, process, settings, python)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def await_line(self, start: str) -> str:
        return self.await_start(start).splitlines()[-1].strip()

    def await_start(self, start: str = "FFAPI serves") -> str:
        """Give all that it says up to the line that begins so."""
        lines = []
        for line in self.output:
            lines.append(line)
            if line.startswith(start):
                return "".join(lines)
        raise AssertionError("".join(lines))

    def is_live(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/live", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def manage(self, *arguments: str) -> str:
        command = [*self.python, "manage.py", *arguments]
        place = environment(self.folder, self.port) | self.settings
        return subprocess.run(
            command, cwd=ROOT, env=place, check=True, capture_output=True, text=True
        ).stdout

    def processes(self) -> list[psutil.Process]:
        """All that runs with this data folder, found by its environment."""
        place = str(self.folder)
        return [each for each in psutil.process_iter() if _is_placed_at(each, place)]

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(90)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.output.close()
            for process in self.processes():
                with suppress(psutil.NoSuchProcess):  # one that ends with another
                    process.kill()


def environment(folder: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    # SPT_NOENV: a process that gives itself a title keeps its environment readable.
    place = {"FFAPI_DATA_DIR": str(folder), "PORT": str(port), "SPT_NOENV": "1"}
    return kept | place | {"WORKERS": "1"}


def _is_placed_at(process: psutil.Process, place: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        is_database = process.name() == "postgres" and place in " ".join(process.cmdline())
        return is_database or process.environ().get("FFAPI_DATA_DIR") == place
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def eventually(holds: Callable[[], bool], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return holds()
