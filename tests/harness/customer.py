"""A tenant's client: it knows what the API tells, and nothing of how the platform works."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.harness.server import eventually

Json = dict[str, Any]
FINAL = {"completed", "failed", "canceled"}


@dataclass(frozen=True)
class Customer:
    name: str
    key: str
    http: httpx.Client

    @classmethod
    def of(cls, url: str, made: Json) -> Customer:
        http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {made['key']}"},
            timeout=60,
            trust_env=False,
        )
        return cls(made["tenant"], made["key"], http)

    def send_file(self, content: bytes, name: str) -> httpx.Response:
        return self.http.post("/v1/files", files={"file": (name, content)})

    def upload(self, path: Path, name: str | None = None) -> Json:
        return _answer(self.send_file(path.read_bytes(), name or path.name), 201)

    def submit(self, operation: str, params: Json, **options: Any) -> Json:
        body = {"operation": operation, "params": params} | options
        return _answer(self.http.post("/v1/jobs", json=body), 202)

    def job(self, job_id: str) -> Json:
        return _answer(self.http.get(f"/v1/jobs/{job_id}"), 200)

    def until(self, job: Json, holds: Callable[[Json], bool], *, within_s: float = 90) -> Json:
        """Look at the job until ``holds`` is true of it; fail with what it is like at the end."""
        seen: list[Json] = []

        def looks_so() -> bool:
            seen[:] = [self.job(job["id"])]
            return holds(seen[0])

        assert eventually(looks_so, within_s=within_s), seen[0]
        return seen[0]

    def ended(self, job: Json, *, within_s: float = 90) -> Json:
        return self.until(job, lambda now: now["status"] in FINAL, within_s=within_s)

    def completed(self, job: Json, *, within_s: float = 90) -> Json:
        ended = self.ended(job, within_s=within_s)
        assert ended["status"] == "completed", (ended["error"], self.log(job))
        return ended

    def log(self, job: Json) -> str:
        return self.http.get(f"/v1/jobs/{job['id']}/log").text

    def events(self, job: Json) -> Iterator[Json]:
        """The job as its event stream tells it, until the stream ends."""
        with self.http.stream("GET", f"/v1/jobs/{job['id']}/events") as stream:
            assert stream.status_code == 200
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    def download(self, output: Json, folder: Path) -> Path:
        """Fetch an output by its signed link, with no key."""
        to = folder / str(output["name"])
        with closing(httpx.Client(timeout=60, trust_env=False)) as anybody:
            answer = anybody.get(output["download_url"])
        assert answer.status_code == 200, answer.text
        to.write_bytes(answer.content)
        return to


def _answer(response: httpx.Response, status: int) -> Json:
    assert response.status_code == status, (response.status_code, response.text)
    answer: Json = response.json()
    return answer
