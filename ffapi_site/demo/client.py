"""The demo as a client sees it: nothing but the public API."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

Json = dict[str, Any]
_ENDED = {"completed", "failed", "canceled"}


class Refused(Exception):  # noqa: N818 -- what the API did
    """The API did not answer as it should"""


@dataclass(frozen=True)
class DemoClient:
    http: httpx.Client

    def upload(self, clip: Path) -> Json:
        with clip.open("rb") as content:
            files = {"file": (clip.name, content, "video/mp4")}
            return _answered(self.http.post("/v1/files", files=files))

    def transcode(self, file_id: str) -> Json:
        params = {
            "input": file_id,
            "output_format": "mp4",
            "video_codec": "h264",
            "audio_codec": "aac",
            "resolution": "720p",
            "preset": "fast",
        }
        job = {"operation": "transcode", "params": params, "output_name": "dusk-720p.mp4"}
        return _answered(self.http.post("/v1/jobs", json=job))

    def follow(self, job: Json) -> Iterator[Json]:
        """Give the job as it goes on, up to its end."""
        while True:
            job = _answered(self.http.get(f"/v1/jobs/{job['id']}"))
            yield job
            if job["status"] in _ENDED:
                return
            time.sleep(0.25)

    def file(self, file_id: str) -> Json:
        return _answered(self.http.get(f"/v1/files/{file_id}"))

    def require_downloadable(self, output: Json) -> None:
        """Fetch the output by its link, without the key, and compare the content's hash."""
        link = urlsplit(output["download_url"])
        digest = hashlib.sha256()
        self.http.headers.pop("Authorization")
        with self.http.stream("GET", f"{link.path}?{link.query}") as answer:
            for chunk in answer.iter_bytes():
                digest.update(chunk)
        if answer.status_code != httpx.codes.OK or digest.hexdigest() != output["sha256"]:
            raise Refused(f"the download answered {answer.status_code} with other content")


def _answered(answer: httpx.Response) -> Json:
    if answer.is_success:
        told: Json = answer.json()
        return told
    request = f"{answer.request.method} {answer.request.url.path}"
    raise Refused(f"{request} answered {answer.status_code}: {answer.text[:1000]}")
