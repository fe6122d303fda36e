"""Clients that want their jobs done: each repeats a request until it is answered."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from chaos.ledger import Answer, Entry, Kind, Ledger
from tests.harness.customer import FINAL, Customer
from tests.harness.far_end import FarEnd, Page

_OPEN_JOBS = 5  # a client waits for its jobs: the site has work, but no growing queue
_KINDS = [Kind.SHORT] * 13 + [Kind.LONG] * 3 + [Kind.BROKEN] * 2 + [Kind.CANCELED] * 2
_PARAMS: dict[Kind, dict[str, Any]] = {
    Kind.SHORT: {"resolution": {"width": 160, "height": 90}, "preset": "fast"},
    Kind.LONG: {"resolution": "480p", "preset": "balanced"},
    Kind.BROKEN: {},
    Kind.CANCELED: {"resolution": "480p", "preset": "balanced"},
}


@dataclass(frozen=True)
class Sources:
    """What the jobs read: two uploaded files, and an address with something that is no video."""

    clip: str
    film: str
    garbage: str

    @classmethod
    def of(cls, customer: Customer, far_end: FarEnd, clip: Path, film: Path) -> Sources:
        garbage = far_end.serve("/garbage.mp4", Page(clip.read_bytes()[:40] + bytes(4000)))
        return cls(customer.upload(clip)["id"], customer.upload(film)["id"], garbage)

    def of_kind(self, kind: Kind) -> str:
        return {Kind.SHORT: self.clip, Kind.BROKEN: self.garbage}.get(kind, self.film)


@dataclass
class Client:
    customer: Customer
    sources: Sources
    ledger: Ledger
    far_end: FarEnd
    chance: random.Random
    stop: threading.Event
    number: int = 0
    open_jobs: list[str] = field(default_factory=list)

    def run(self) -> None:
        while not self.stop.is_set():
            if len(self.open_jobs) >= _OPEN_JOBS:
                self._look_after_jobs()
                self.stop.wait(0.3)
            else:
                self._submit_one()

    def _submit_one(self) -> None:
        self.number += 1
        key = f"{self.customer.name}-{self.number}"
        hook = self.far_end.at(f"/hook/{key}") if self.chance.random() < 0.3 else ""
        entry = Entry(key, self.chance.choice(_KINDS), hook)
        self.ledger.open(entry)
        while not self.stop.is_set() and not self.ask(entry):
            self.stop.wait(0.5)
        if entry.job:
            self.open_jobs.append(entry.job)
            if entry.kind is Kind.CANCELED:
                self.stop.wait(self.chance.uniform(0, 6))
                self._send("POST", f"/v1/jobs/{entry.job}/cancel")

    def ask(self, entry: Entry) -> bool:
        """Send the request of ``entry`` once; tell whether it was taken."""
        entry.tries += 1
        params = {"input": self.sources.of_kind(entry.kind)} | _PARAMS[entry.kind]
        body = {"operation": "transcode", "params": params, "metadata": {"key": entry.key}}
        if entry.hook:
            body["webhook_url"] = entry.hook
        answer = self._send("POST", "/v1/jobs", body, {"Idempotency-Key": entry.key})
        if answer is None or not answer.is_success:
            return False
        entry.job = answer.json()["id"]
        return True

    def _look_after_jobs(self) -> None:
        for job in list(self.open_jobs):
            answer = self._send("GET", f"/v1/jobs/{job}")
            if answer is not None and answer.is_success and answer.json()["status"] in FINAL:
                self.open_jobs.remove(job)

    def _send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response | None:
        began = time.monotonic()
        try:
            answer = self.customer.http.request(method, path, json=body, headers=headers)
        except httpx.HTTPError:
            self.ledger.note_broken_connection()
            return None
        took_s = time.monotonic() - began
        told = f"{method} {path}: {answer.text[:300]}" if answer.status_code >= 400 else ""
        has_retry_after = "Retry-After" in answer.headers
        self.ledger.note(Answer(answer.status_code, took_s, told, has_retry_after))
        return answer
