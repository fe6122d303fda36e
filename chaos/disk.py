"""A disk filled by what says nothing of its length, while others go on with their work."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from chaos.ground import RESERVE_MB, Ground
from tests.system.customer import Customer

_UPLOADS = 6
_LEFT_MB = 120  # above the reserve when they begin; each may have half of it and more
_UPLOAD_MB = 60
_DATABASE_MB = 64  # what the database itself may take of its reserve meanwhile
_HELD_S = 20.0
_CHUNK = bytes(256 * 1024)
_HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
_MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


def fill_by_uploads(ground: Ground) -> str:
    """Have uploads without a length take what is above the reserve, and hold on to it.

    What must not be is noted with the ground: less left than the reserve, which is the database's,
    another's request not answered, or a refusal that does not say why.
    """
    customer, other = ground.customer("flood"), ground.customer("bystander")
    with customer.http, other.http, _all_but(ground.folder, RESERVE_MB + _LEFT_MB):
        flood = _Flood(ground, customer)
        began = time.monotonic()
        flood.start()
        while flood.is_on and time.monotonic() < began + _HELD_S:
            flood.look()
            flood.others_were_answered |= _is_answered(ground, other)
            time.sleep(0.05)
        flood.end()
    return f"{flood.refused} of {_UPLOADS} refused, {flood.least_free_mb:.0f} MiB left"


@contextmanager
def _all_but(folder: Path, left_mb: int) -> Iterator[None]:
    """Let another program take all of the disk but so much."""
    filler = folder / "filler"
    size_bytes = int((_free_mb(folder) - left_mb) * (1 << 20))
    try:
        with filler.open("wb") as taken:
            os.posix_fallocate(taken.fileno(), 0, max(size_bytes, 1))
        yield
    finally:
        filler.unlink()


def _free_mb(folder: Path) -> float:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize / (1 << 20)


def _is_answered(ground: Ground, other: Customer) -> bool:
    """Whether another's request is; what was hit a moment before may still be starting again."""
    try:
        answer = other.http.get("/v1/jobs?limit=1", timeout=10)
    except httpx.HTTPError:
        return False
    if answer.status_code == 500 or "storage_full" in answer.text:
        ground.violations.append(f"another's request while the disk was filled: {answer.text}")
    return answer.status_code == 200


class _Flood:
    """Uploads that are all begun before one of them ends."""

    def __init__(self, ground: Ground, customer: Customer) -> None:
        self.refused = 0
        self.others_were_answered = False
        self.least_free_mb = _free_mb(ground.folder)
        self._ground = ground
        self._customer = customer
        self._release = threading.Event()
        self._threads = [threading.Thread(target=self._upload) for _ in range(_UPLOADS)]

    @property
    def is_on(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def look(self) -> None:
        self.least_free_mb = min(self.least_free_mb, _free_mb(self._ground.folder))

    def end(self) -> None:
        self._release.set()
        for thread in self._threads:
            thread.join()
        if self.least_free_mb < RESERVE_MB - _DATABASE_MB:
            left = f"{self.least_free_mb:.1f} MiB"
            self._ground.violations.append(f"uploads left {left} of the {RESERVE_MB} in reserve")
        if not self.others_were_answered:
            self._ground.violations.append("nobody else was answered while the disk was filled")
        if not self.refused:
            self._ground.violations.append("no upload was told that the disk is full")

    def _body(self) -> Iterator[bytes]:
        yield _HEAD
        for _ in range(_UPLOAD_MB * 4):
            self.look()
            yield _CHUNK
        self._release.wait(_HELD_S)

    def _upload(self) -> None:
        try:
            answer = httpx.post(
                self._customer.http.base_url.join("/v1/files"),
                content=self._body(),
                headers=_MULTIPART | {"Authorization": f"Bearer {self._customer.key}"},
                timeout=60,
                trust_env=False,
            )
        except httpx.HTTPError:
            return  # refused, and the answer lost with what was still being sent
        if answer.status_code >= 500:
            self.refused += 1
            is_told = answer.headers.get("Retry-After") and answer.json()["code"] == "storage_full"
            if not is_told:
                self._ground.violations.append(f"an upload to a full disk: {answer.text}")
