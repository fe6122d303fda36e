"""The ways in which a tenant can hand over a file: sent, fetched, and as input of an operation."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from urllib.parse import quote

import httpx

from media_jobs.operations.core import REGISTRY, media_params
from tests.attacks.ground import Ground, check_failed, check_refused
from tests.attacks.hostile_files import HostileFile
from tests.harness.customer import Customer, Json
from tests.harness.far_end import FarEnd, Page

_WAIT = {"Prefer": "wait=55"}


def params_with(operation: str, ref: str) -> Json:
    """An operation's own example, with ``ref`` for every medium that it takes."""
    declared = REGISTRY[operation]
    example = declared.examples[0]
    return {**example.params, **media_params(declared, dict.fromkeys(example.media, ref))}


def operation_for(what: str) -> str:
    """Another one for each case, and always the same."""
    jobs = sorted(set(REGISTRY) - {"transcode", "probe"})
    return jobs[zlib.crc32(what.encode()) % len(jobs)]


@dataclass(frozen=True)
class Delivery:
    """One file handed over in every way. ``check`` is all that the answers may be."""

    ground: Ground
    alice: Customer
    far_end: FarEnd
    file: HostileFile

    def content(self) -> bytes:
        return self.file.content(self.ground.canaries)

    def as_upload(self) -> httpx.Response:
        return self.alice.send_file(self.content(), self.file.name)

    def address(self) -> str:
        page = Page(self.content(), headers={"Content-Type": "video/mp4"})
        return self.far_end.serve(f"/{quote(self.file.name)}", page)

    def as_import(self) -> httpx.Response:
        return self.alice.http.post("/v1/files", json={"url": self.address()})

    def as_probe(self) -> httpx.Response:
        return self.alice.http.post("/v1/probe", json={"input_url": self.address()})

    def as_input(self, operation: str, ref: str | None = None) -> httpx.Response:
        body = {"operation": operation, "params": params_with(operation, ref or self.address())}
        return self.alice.http.post("/v1/jobs", json=body, headers=_WAIT)

    def is_never_taken(self) -> None:
        """Nobody takes it for a medium, whichever way it comes."""
        jobs = ("transcode", operation_for(self.file.id))
        with ThreadPoolExecutor(5) as ways:
            taken = [ways.submit(way) for way in (self.as_upload, self.as_import, self.as_probe)]
            done = [ways.submit(self.as_input, operation) for operation in jobs]
        for answer in taken:
            check_refused(answer.result())
        for answer in done:
            self._check_ended_badly(answer.result())

    def does_no_harm(self) -> None:
        """It may be a medium: then what it leads to is left alone, and the rest is done."""
        taken = self.as_upload()
        refs = [taken.json()["id"]] if taken.status_code == 201 else []
        jobs = product(("transcode", operation_for(self.file.id)), [*refs, self.address()])
        with ThreadPoolExecutor(6) as ways:
            told = [ways.submit(way) for way in (self.as_import, self.as_probe)]
            done = [ways.submit(self.as_input, *job) for job in jobs]
        for answer in (taken, *(each.result() for each in told)):
            if answer.status_code not in {200, 201}:
                check_refused(answer)
        for each in done:
            self._check_ended(each.result())

    def _check_ended_badly(self, answer: httpx.Response) -> None:
        if answer.status_code == 200:
            check_failed(answer.json())
        else:
            check_refused(answer)

    def _check_ended(self, answer: httpx.Response) -> None:
        if not (answer.status_code == 200 and answer.json()["status"] == "completed"):
            self._check_ended_badly(answer)
