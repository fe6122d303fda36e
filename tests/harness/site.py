"""The running platform as its operator sees it: processes, folders and tables."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from django.conf import settings

from ffapi_site.database.embedded import socket_folder
from tests.harness.customer import Customer, Json
from tests.harness.programs import is_one
from tests.harness.server import Server, eventually

GUARDED = Path(__file__).parent / "guarded"
SLOTS = 2
LEASE_S = 4
GRACE_S = 4


def site_settings(record: Path, allowlist: list[str]) -> dict[str, str]:
    """What these tests set: everything fast, nothing limited, nobody let out."""
    return {
        "WORKERS": str(SLOTS),
        "LEASE_SECONDS": str(LEASE_S),
        "SHUTDOWN_GRACE_SECONDS": str(GRACE_S),
        "JOB_RETRY_DELAY": "0.2",
        "MAX_CONCURRENT_JOBS_PER_TENANT": "none",
        "RATE_LIMIT_REQUESTS_PER_MINUTE": "1000000",
        "RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE": "1000000",
        "FFAPI_URL_ALLOWLIST": ",".join(allowlist),
    } | guarded(record)


def guarded(record: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(GUARDED), "CONNECTIONS_REFUSED": str(record)}


@contextmanager
def running(name: str, allowlist: list[str], **more: str) -> Iterator[Site]:
    """A site of its own; ``more`` are settings that it has beside those of all the tests."""
    # Not under /tmp: another run of pytest would close its folder to the database's user.
    folder = Path(settings.DATA_DIR) / f"{name}-{os.getpid()}"
    folder.mkdir()
    record = folder / "refused"
    wanted = site_settings(record, allowlist) | more
    with Server.start(folder / "data", settings=wanted) as server:
        server.await_line("FFAPI serves")
        yield Site(server, record)


@dataclass(frozen=True)
class Site:
    server: Server
    record: Path

    def customer(self, name: str, *options: str) -> Customer:
        told = self.server.manage("create_api_key", "--tenant", name, "--json", *options)
        return Customer.of(self.server.url, json.loads(told))

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run SQL on the site's own database."""
        place = socket_folder(self.server.folder / "postgres")
        with psycopg.connect(host=place, user="postgres", dbname="postgres") as database:
            cursor = database.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def database(self) -> list[psutil.Process]:
        """All processes of the site's own PostgreSQL, the first of them first."""
        pid = (self.server.folder / "postgres/postmaster.pid").read_text().split()[0]
        first = psutil.Process(int(pid))
        return [first, *first.children()]

    def wake(self, times: int) -> None:
        """Put ``times`` more tokens into the queue of the slots."""
        each = f"for _ in range({times}): wakeups.wake('cpu')"
        code = f"from media_jobs.engine import wakeups\n{each}"
        self.server.manage("shell", "-c", code)

    def refused_connections(self) -> str:
        return self.record.read_text() if self.record.exists() else ""

    def ffmpegs(self, job: Json) -> list[psutil.Process]:
        """What runs in the job's scratch folders, found by where it is."""
        return [process for process in psutil.process_iter() if self._is_in_scratch(process, job)]

    def _is_in_scratch(self, process: psutil.Process, job: Json) -> bool:
        try:
            is_program = is_one(process.name())
            return is_program and process.cwd().startswith(f"{self.scratch}/{job['id']}.")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    @property
    def scratch(self) -> Path:
        return self.server.folder / "scratch"

    def scratch_of(self, job: Json) -> list[Path]:
        return list(self.scratch.glob(f"{job['id']}.*"))

    def encoding(self, job: Json) -> psutil.Process:
        """The FFmpeg of a job, awaited."""
        assert eventually(lambda: bool(self.ffmpegs(job)), within_s=60)
        return self.ffmpegs(job)[0]

    def slot_of(self, job: Json) -> psutil.Process:
        """The process that guards the slot on which the job runs."""
        query = "SELECT s.pid FROM media_jobs_slot s JOIN media_jobs_job j ON j.slot = s.name"
        [(pid,)] = self.rows(f"{query} WHERE j.id = %s", job["id"])
        return psutil.Process(pid)

    def slots_are_up(self) -> bool:
        query = "SELECT pid FROM media_jobs_slot WHERE heartbeat_at > now() - interval '6 s'"
        pids = [pid for (pid,) in self.rows(query)]
        return len([pid for pid in pids if _is_whole(pid)]) == SLOTS

    def await_slots(self) -> None:
        assert eventually(self.slots_are_up, within_s=90), self.logs()

    def history(self, job: Json) -> list[tuple[str, int]]:
        query = "SELECT to_status, attempt FROM media_jobs_jobevent WHERE job_id = %s ORDER BY id"
        return [(status, attempt) for status, attempt in self.rows(query, job["id"])]

    def outcomes(self, job: Json) -> list[str]:
        query = "SELECT outcome FROM media_jobs_jobattempt WHERE job_id = %s ORDER BY number"
        return [outcome for (outcome,) in self.rows(query, job["id"])]

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in self._log_files())

    def _log_files(self) -> Iterator[Path]:
        return (self.server.folder / "logs").glob("*.log")


def _is_whole(pid: int) -> bool:
    """Whether a slot has all of its processes: the sentinel, and below it those it watches over."""
    try:
        below = psutil.Process(pid).children(recursive=True)
        return len([each for each in below if not is_one(each.name())]) >= 4
    except psutil.NoSuchProcess:
        return False
