"""The site under attack, and what must hold of it after every attack."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from ffapi_site.error_codes import chapters
from tests.attacks.canaries import Canaries
from tests.harness.customer import Customer, Json
from tests.harness.server import eventually
from tests.harness.site import Site

# Whatever an attack is, the word of the canaries must be in none of these.
_TOLD_IN = (
    "media_jobs_job",
    "media_jobs_jobattempt",
    "media_jobs_jobevent",
    "media_jobs_jobstep",
    "media_jobs_webhookdelivery",
    "storage_file",
)
# What it means that something of ours broke, rather than that we said no.
OUR_FAULT = {"internal_error", "worker_lost", "poison"}
KNOWN_CODES = {code.code for chapter in chapters() for code in chapter.codes} - OUR_FAULT


@dataclass
class Ground:
    """``check`` fails with all that went wrong since ``begin``."""

    site: Site
    canaries: Canaries
    stolen: Path
    """Another tenant's film, in the site's own storage."""
    answers: list[str] = field(default_factory=list)
    _read_to: dict[Path, int] = field(default_factory=dict)
    _began_s: float = 0.0
    _slots: list[Any] = field(default_factory=list)

    def watch(self, customer: Customer) -> Customer:
        """Remember every answer to the customer that no input may get."""
        customer.http.event_hooks["response"].append(self._note)
        return customer

    def _note(self, answer: httpx.Response) -> None:
        if answer.status_code >= 500:
            self.answers.append(f"{answer.status_code}: {answer.request.method} {answer.url}")

    def begin(self) -> None:
        self.site.await_slots()
        self.canaries.seen()
        self.answers.clear()
        self._new_log()
        self._began_s = time.time() - 1
        self._slots = self._alive()

    def check(self) -> None:
        eventually(lambda: not list(self._left_over()), within_s=10)
        harm = list(self._harm())
        assert not harm, harm

    def _harm(self) -> Iterator[str]:
        yield from (f"canary {each}" for each in self.canaries.seen())
        yield from (f"answered {each}" for each in self.answers)
        yield from self._left_over()
        yield from self._leaked()
        if refused := self.site.refused_connections():
            yield f"tried to connect: {refused}"
            self.site.record.unlink()
        if self._alive() != self._slots:
            yield f"the slots were {self._slots} and are {self._alive()}"

    def _alive(self) -> list[Any]:
        return self.site.rows("SELECT name, pid FROM media_jobs_slot ORDER BY name")

    def _left_over(self) -> Iterator[str]:
        for process in _processes_in(self.site.scratch):
            yield f"{process} is left over"
        for folder in (self.site.scratch, self.site.server.folder / "uploads"):
            if folder.exists():
                yield from (f"{path} is left over" for path in folder.iterdir())

    def _leaked(self) -> Iterator[str]:
        word = self.canaries.word
        for table in _TOLD_IN:
            query = f"SELECT t::text FROM {table} t WHERE t::text LIKE %s"  # noqa: S608 -- ours
            yield from (f"{table} tells {row}" for row in self.site.rows(query, f"%{word}%"))
        if word in self._new_log():
            yield "the log tells the word"
        for path in (self.site.server.folder / "media").rglob("*"):
            if path != self.stolen and self._is_new(path) and word.encode() in path.read_bytes():
                yield f"{path} holds the word"

    def _is_new(self, path: Path) -> bool:
        return path.is_file() and path.stat().st_ctime > self._began_s

    def _new_log(self) -> str:
        told = ""
        for path in (self.site.server.folder / "logs").glob("*.log"):
            with path.open(errors="replace") as log:
                log.seek(self._read_to.get(path, 0))
                told += log.read()
                self._read_to[path] = log.tell()
        return told


def _processes_in(folder: Path) -> Iterator[str]:
    for process in psutil.process_iter():
        try:
            is_program = process.name() in {"ffmpeg", "ffprobe"}
            if is_program and process.cwd().startswith(str(folder)):
                yield f"{process.name()} {process.pid}"
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


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
