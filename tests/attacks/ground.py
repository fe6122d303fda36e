"""The site under attack, and what must hold of it after every attack."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
from psycopg import sql

from ffapi_site.error_codes import chapters
from tests.attacks.canaries import Canaries
from tests.harness.customer import Customer, Json
from tests.harness.programs import is_one
from tests.harness.server import eventually
from tests.harness.site import SLOTS, Site

# Whatever an attack is, the word of the canaries must be in none of these.
_TOLD_IN = (
    "media_jobs_job",
    "media_jobs_jobattempt",
    "media_jobs_jobevent",
    "media_jobs_jobstep",
    "media_jobs_webhookdelivery",
    "storage_file",
)
# Times of files are those of the kernel's last tick.
_CLOCK_STEP_S = 0.05
# What it means that something of ours broke, rather than that we said no.
OUR_FAULT = {"internal_error", "worker_lost", "poison"}
KNOWN_CODES = {code.code for chapter in chapters() for code in chapter.codes} - OUR_FAULT


_SLOTS: LiteralString = """
    SELECT name, pid, heartbeat_at > now() - interval '6 s' FROM media_jobs_slot ORDER BY name
"""
_NEXT_XID: LiteralString = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


@dataclass(frozen=True)
class Mark:
    """How far the site had got when a test began: what came later is of it, or of a later one."""

    test: str
    at_s: float
    xid: int
    """The number of the next transaction."""
    logs: dict[Path, int]
    """The length of each."""


@dataclass
class Ground:
    """``check`` fails with what went wrong since ``begin``; ``leaks`` is of many tests together.

    To search all that is stored and logged takes longer than most attacks, and what leaked stays
    where it is. So it is done once for many tests; each place is told with the test that ran then.
    """

    site: Site
    canaries: Canaries
    stolen: Path
    """Another tenant's film, in the site's own storage."""
    database: psycopg.Connection[Any]
    """The site's own; one connection for all checks."""
    answers: list[str] = field(default_factory=list)
    _marks: list[Mark] = field(default_factory=list)
    _slots: dict[str, int] = field(default_factory=dict)

    def watch(self, customer: Customer) -> Customer:
        """Remember every answer to the customer that no input may get."""
        customer.http.event_hooks["response"].append(self._note)
        return customer

    def _note(self, answer: httpx.Response) -> None:
        if answer.status_code >= 500:
            self.answers.append(f"{answer.status_code}: {answer.request.method} {answer.url}")

    def begin(self, test: str) -> None:
        if not self._marks or not self._all_are_fresh():
            self.site.await_slots()
        self._slots = self._alive()
        self.canaries.seen()
        self.answers.clear()
        [(xid,)] = self.database.execute(_NEXT_XID)
        logs = {path: path.stat().st_size for path in self._logs()}
        self._marks.append(Mark(test, time.time() - _CLOCK_STEP_S, xid, logs))

    def check(self) -> None:
        eventually(lambda: not any(self.left_over()), within_s=10)
        harm = list(self._harm())
        assert not harm, harm

    def leaks(self) -> list[str]:
        """Where the canaries' word is told, of all tests since the last call."""
        found = [*self._rows_that_tell(), *self._logs_that_tell(), *self._files_that_tell()]
        self._marks.clear()
        return found

    def _harm(self) -> Iterator[str]:
        yield from (f"canary {each}" for each in self.canaries.seen())
        yield from (f"answered {each}" for each in self.answers)
        yield from self.left_over()
        if refused := self.site.refused_connections():
            yield f"tried to connect: {refused}"
            self.site.record.unlink()
        if (alive := self._alive()) != self._slots:
            yield f"the slots were {self._slots} and are {alive}"

    def _alive(self) -> dict[str, int]:
        return {name: pid for name, pid, _ in self.database.execute(_SLOTS)}

    def _all_are_fresh(self) -> bool:
        slots = [is_fresh for *_, is_fresh in self.database.execute(_SLOTS)]
        return len(slots) == SLOTS and all(slots)

    def left_over(self) -> Iterator[str]:
        for process in _processes_in(self.site.scratch):
            yield f"{process} is left over"
        for folder in (self.site.scratch, self.site.server.folder / "uploads"):
            if folder.exists():
                yield from (f"{path} is left over" for path in folder.iterdir())

    def _rows_that_tell(self) -> Iterator[str]:
        for table in _TOLD_IN:
            query = sql.SQL(
                "SELECT xmin::text::bigint, t::text FROM {} t WHERE t::text LIKE %s"
            ).format(sql.Identifier(table))
            for xid, row in self.database.execute(query, [f"%{self.canaries.word}%"]):
                test = _last(mark.test for mark in self._marks if mark.xid <= xid)
                yield f"{test}: {table} tells {row}"

    def _logs_that_tell(self) -> Iterator[str]:
        for path in self._logs():
            with path.open("rb") as log:
                start = log.seek(self._marks[0].logs.get(path, 0))
                place = log.read().find(self.canaries.word.encode())
            if place >= 0:
                begun = (m.test for m in self._marks if m.logs.get(path, 0) <= start + place)
                yield f"{_last(begun)}: {path.name} tells the word"

    def _files_that_tell(self) -> Iterator[str]:
        word = self.canaries.word.encode()
        for path in (self.site.server.folder / "media").rglob("*"):
            made_s = path.stat().st_ctime
            if path == self.stolen or not path.is_file() or made_s < self._marks[0].at_s:
                continue
            if word in path.read_bytes():
                test = _last(mark.test for mark in self._marks if mark.at_s <= made_s)
                yield f"{test}: {path} holds the word"

    def _logs(self) -> Iterator[Path]:
        return (self.site.server.folder / "logs").glob("*.log")


def _last(tests: Iterable[str]) -> str:
    return ["before all", *tests][-1]


def _processes_in(folder: Path) -> Iterator[str]:
    """Read by hand: psutil takes longer to look at every process than most attacks take."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            name = (place / "comm").read_text().strip()
            if is_one(name) and (place / "cwd").readlink().is_relative_to(folder):
                yield f"{name} {place.name}"
        except OSError:
            continue  # it has ended


def check_refused(answer: httpx.Response) -> None:
    """A 4xx that says which field is wrong, in a code that is documented."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
    told = answer.json()
    codes = {told["code"]} | {each["code"] for each in told.get("errors", [])}
    assert codes <= KNOWN_CODES, codes


def check_failed(job: Json) -> None:
    """Ended cleanly with a reason that is documented, and nothing to show."""
    assert (job["status"], job["outputs"]) == ("failed", []), job
    # What may pass is tried again: of an address also where it comes to be refused then.
    may_be_later = job["error"]["retryable"] or job["inputs"][0]["url"]
    assert job["attempt"] == 1 or may_be_later, job
    assert job["error"]["code"] in KNOWN_CODES, job["error"]
    assert job["error"]["title"]
