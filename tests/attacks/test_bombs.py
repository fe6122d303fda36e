"""Small files that want to become large: bounded in time and memory, and others go on working."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import httpx
import psutil
import pytest

from tests.attacks.bombs import BOMBS, Bomb
from tests.attacks.conftest import LONGEST_RUN_S, MEMORY_MB
from tests.attacks.ground import Ground, check_failed, check_refused
from tests.harness.customer import Customer
from tests.harness.far_end import FarEnd, Page
from tests.harness.media import Samples

pytestmark = pytest.mark.slow

_SERVER_MAY_GROW_MB = 300
# An input may be probed and planned before it runs, and the machine may be busy.
_SLACK_S = 15.0


class Meter:
    """The most memory that any FFmpeg of the site takes, and all the rest of it together."""

    def __init__(self, ground: Ground) -> None:
        self.ffmpeg_mb = 0.0
        self.ours_mb: list[float] = []
        self._scratch = str(ground.site.scratch)
        self._ours = [each for each in ground.site.server.processes() if each.name() != "postgres"]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            self.ours_mb.append(sum(map(_resident_mb, self._ours)))
            for slot in self._ours:
                self._look_below(slot)

    def _look_below(self, process: psutil.Process) -> None:
        try:
            below = process.children()
        except psutil.NoSuchProcess:
            return
        for each in below:
            if _is_in(each, self._scratch):
                self.ffmpeg_mb = max(self.ffmpeg_mb, _resident_mb(each))


def _is_in(process: psutil.Process, folder: str) -> bool:
    try:
        return bool(process.cwd().startswith(folder))
    except psutil.Error:
        return False


def _resident_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / (1 << 20)
    except psutil.Error:
        return 0.0


def _taken(alice: Customer, bomb: Bomb, content: bytes) -> httpx.Response:
    return alice.http.post("/v1/files", files={"file": (bomb.name, content)})


def _done(alice: Customer, operation: str, url: str) -> httpx.Response:
    body = {"input_url": url}
    return alice.http.post(f"/v1/{operation}", json=body, headers={"Prefer": "wait=50"})


def _check_bounded(answer: httpx.Response) -> None:
    if answer.status_code not in {200, 201}:
        check_refused(answer)
    elif answer.json().get("status") == "failed":
        check_failed(answer.json())
    else:
        assert answer.json().get("status", "completed") == "completed", answer.text


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.id)
def test_it_does_not_go_off(
    *,
    ground: Ground,
    alice: Customer,
    bob: Customer,
    far_end: FarEnd,
    media: Samples,
    bomb: Bomb,
) -> None:
    content = bomb.content()
    url = far_end.serve(f"/{bomb.name}", Page(content))
    operation = "image/to-video" if bomb.name.startswith("picture") else "transcode"
    began_s = time.monotonic()
    with Meter(ground) as meter, ThreadPoolExecutor(4) as crowd:
        attack = [
            crowd.submit(_taken, alice, bomb, content),
            crowd.submit(_done, alice, "probe", url),
            crowd.submit(_done, alice, operation, url),
        ]
        _check_others_work(bob, media.path("red"))
        for answer in attack:
            _check_bounded(answer.result())
    assert time.monotonic() - began_s < LONGEST_RUN_S + _SLACK_S
    assert meter.ffmpeg_mb < MEMORY_MB
    assert max(meter.ours_mb) - meter.ours_mb[0] < _SERVER_MAY_GROW_MB


def _check_others_work(bob: Customer, film: Path) -> None:
    job = bob.submit("transcode", {"input": bob.upload(film)["id"], "resolution": "360p"})
    bob.completed(job, within_s=LONGEST_RUN_S + _SLACK_S)
