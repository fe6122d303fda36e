"""A disk filled by what says nothing of its length, while others go on with their work."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from chaos.ground import RESERVE_MB, Ground
from tests.harness.customer import Customer
from tests.harness.server import eventually

_UPLOADS = 10
_UPLOAD_MB = 24  # what is left of one when it is refused is still taken: its answer arrives
_LEFT_MB = 100  # above the reserve when they begin: less than half of what they want
_DATABASE_MB = 64  # what the database itself may take of its reserve meanwhile
_HELD_S = 5.0  # once it is as full as they make it
_LONGEST_S = 60.0
_CHUNK = bytes(256 * 1024)
_HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
_MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


def is_served(customer: Customer, *, within_s: float) -> bool:
    """Wait until requests are answered: what was hit a moment before may be starting again."""

    def answers() -> bool:
        answer = _asked(customer)
        return answer is not None and answer.is_success

    return eventually(answers, within_s=within_s)


def fill_by_uploads(ground: Ground, sender: Customer, other: Customer) -> str:
    """Have uploads without a length take what is above the reserve, and hold on to it.

    What must not be is noted with the ground: less left than the reserve, which is the database's,
    another's request not answered, or a refusal that does not say why.
    """
    with _all_but(ground.folder, RESERVE_MB + _LEFT_MB):
        flood = _Flood(ground, sender)
        flood.start()
        full_at = math.inf
        while flood.is_on and time.monotonic() < full_at + _HELD_S:
            if flood.is_sent and full_at == math.inf:
                full_at = time.monotonic()
            flood.look()
            flood.ask_as(other)
            time.sleep(0.05)
        flood.end()
    return (
        f"{flood.refused} of {_UPLOADS} refused, {flood.cut} cut,"
        f" {flood.least_free_mb:.0f} MiB left"
    )


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


def _asked(customer: Customer) -> httpx.Response | None:
    try:
        return customer.http.get("/v1/jobs?limit=1", timeout=10)
    except httpx.HTTPError:
        return None


class _Flood:
    """Uploads that are all begun before one of them ends."""

    def __init__(self, ground: Ground, sender: Customer) -> None:
        self.refused = 0
        self.cut = 0
        self.least_free_mb = _free_mb(ground.folder)
        self._others_were_answered = False
        self._sent: list[int] = []
        self._ground = ground
        self._sender = sender
        self._release = threading.Event()
        self._threads = [threading.Thread(target=self._upload) for _ in range(_UPLOADS)]

    @property
    def is_on(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    @property
    def is_sent(self) -> bool:
        """Whether each upload has sent all that it is going to, or was refused."""
        return len(self._sent) >= len([each for each in self._threads if each.is_alive()])

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def look(self) -> None:
        self.least_free_mb = min(self.least_free_mb, _free_mb(self._ground.folder))

    def ask_as(self, other: Customer) -> None:
        answer = _asked(other)
        if answer is None:
            return
        self._others_were_answered |= answer.is_success
        if answer.status_code == 500 or "storage_full" in answer.text:
            self._ground.violations.append(f"to another while the disk was filled: {answer.text}")

    def end(self) -> None:
        self._release.set()
        for thread in self._threads:
            thread.join()
        if self.least_free_mb < RESERVE_MB - _DATABASE_MB:
            left = f"{self.least_free_mb:.1f} MiB"
            self._ground.violations.append(f"uploads left {left} of the {RESERVE_MB} in reserve")
        if not self._others_were_answered:
            self._ground.violations.append("nobody else was answered while the disk was filled")
        if not self.refused + self.cut:
            self._ground.violations.append("no upload was refused for a full disk")

    def _body(self) -> Iterator[bytes]:
        yield _HEAD
        for _ in range(_UPLOAD_MB * 4):
            self.look()
            yield _CHUNK
        self._sent.append(1)
        self._release.wait(_LONGEST_S)

    def _upload(self) -> None:
        try:
            answer = httpx.post(
                self._sender.http.base_url.join("/v1/files"),
                content=self._body(),
                headers=_MULTIPART | {"Authorization": f"Bearer {self._sender.key}"},
                timeout=_LONGEST_S,
                trust_env=False,
            )
        except httpx.ConnectError:
            return  # it was not begun
        except httpx.HTTPError:
            self.cut += 1  # refused, and the answer lost with what was still being sent
            return
        if answer.status_code >= 500:
            self.refused += 1
            is_told = answer.headers.get("Retry-After") and answer.json()["code"] == "storage_full"
            if not is_told:
                self._ground.violations.append(f"an upload to a full disk: {answer.text}")
