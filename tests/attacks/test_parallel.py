"""Many at the same moment, and hostile JSON over a real connection."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from tests.attacks.ground import check_refused
from tests.attacks.hostile_containers import film
from tests.attacks.test_json_bodies import HOSTILE, Body, of_each_kind
from tests.harness.customer import Customer, Json
from tests.harness.far_end import FarEnd, Page
from tests.harness.media import X264

pytestmark = pytest.mark.slow

CROWD = 50


@pytest.fixture(scope="module")
def content() -> bytes:
    return film("film.mp4", *X264)


def _at_once(send: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    start = Barrier(CROWD)

    def one(number: int) -> httpx.Response:
        start.wait(30)
        return send(number)

    with ThreadPoolExecutor(CROWD) as crowd:
        return list(crowd.map(one, range(CROWD)))


def _check_one_effect(answers: list[httpx.Response], status: int) -> str:
    """One did it, and the others were told so or told to wait; gives the id of what was made."""
    assert {answer.status_code for answer in answers} <= {status, 409}
    done = [answer for answer in answers if answer.status_code == status]
    assert len([each for each in done if "idempotency-replayed" not in each.headers]) == 1
    [made] = {answer.json()["id"] for answer in done}
    return str(made)


def test_fifty_jobs_under_one_key(alice: Customer, content: bytes) -> None:
    tag, key = secrets.token_hex(8), secrets.token_hex(16)
    params = {"input": alice.send_file(content, "film.mp4").json()["id"], "count": 1}
    body = {"operation": "video/thumbnails", "params": params, "tags": [tag]}
    headers = {"Idempotency-Key": key}
    answers = _at_once(lambda _: alice.http.post("/v1/jobs", json=body, headers=headers))
    made = _check_one_effect(answers, 202)
    [job] = alice.http.get("/v1/jobs", params={"tag": tag}).json()["results"]
    assert job["id"] == made
    alice.completed(job)


def test_fifty_on_an_operations_own_path(alice: Customer, content: bytes) -> None:
    tag, headers = secrets.token_hex(8), {"Idempotency-Key": secrets.token_hex(16)}
    body = {"input": alice.send_file(content, "f.mp4").json()["id"], "count": 1, "tags": [tag]}
    answers = _at_once(
        lambda _: alice.http.post("/v1/video/thumbnails", json=body, headers=headers)
    )
    _check_one_effect(answers, 202)
    [job] = alice.http.get("/v1/jobs", params={"tag": tag}).json()["results"]
    alice.completed(job)


def test_fifty_uploads(alice: Customer, content: bytes) -> None:
    tag, headers = secrets.token_hex(8), {"Idempotency-Key": secrets.token_hex(16)}
    answers = _at_once(
        lambda _: alice.http.post(
            "/v1/files",
            files={"file": ("film.mp4", content)},
            data={"tags": tag},
            headers=headers,
        )
    )
    made = _check_one_effect(answers, 201)
    listed = alice.http.get("/v1/files", params={"tag": tag}).json()["results"]
    assert [file["id"] for file in listed] == [made]


def test_fifty_imports(alice: Customer, far_end: FarEnd, content: bytes) -> None:
    tag, headers = secrets.token_hex(8), {"Idempotency-Key": secrets.token_hex(16)}
    body = {"url": far_end.serve("/film.mp4", Page(content)), "tags": [tag]}
    answers = _at_once(lambda _: alice.http.post("/v1/files", json=body, headers=headers))
    made = _check_one_effect(answers, 201)
    listed = alice.http.get("/v1/files", params={"tag": tag}).json()["results"]
    assert [file["id"] for file in listed] == [made]


def test_fifty_different_bodies_under_one_key(alice: Customer, content: bytes) -> None:
    """The first makes one job; the others are told that the key is taken."""
    tag, headers = secrets.token_hex(8), {"Idempotency-Key": secrets.token_hex(16)}
    file = alice.send_file(content, "film.mp4").json()["id"]

    def send(number: int) -> httpx.Response:
        params = {"input": file, "count": 1, "width": 16 + 2 * number}
        body = {"operation": "video/thumbnails", "params": params, "tags": [tag]}
        return alice.http.post("/v1/jobs", json=body, headers=headers)

    answers = _at_once(send)
    assert sorted({answer.status_code for answer in answers} - {409}) in ([202], [202, 422])
    assert [answer.status_code for answer in answers].count(202) == 1
    [job] = alice.http.get("/v1/jobs", params={"tag": tag}).json()["results"]
    alice.completed(job)


def test_fifty_cancel_what_fifty_cancel(alice: Customer, far_end: FarEnd, content: bytes) -> None:
    with far_end.held("/held.mp4", content) as (url, _):
        job = alice.submit("transcode", {"input": url})
        answers = _at_once(lambda _: alice.http.post(f"/v1/jobs/{job['id']}/cancel"))
        assert {answer.status_code for answer in answers} <= {200, 202, 409}
        ended = alice.ended(job)
    assert (ended["status"], ended["outputs"]) == ("canceled", [])


def test_fifty_deletes_of_one_file(alice: Customer, content: bytes) -> None:
    file = alice.send_file(content, "film.mp4").json()["id"]
    answers = _at_once(lambda _: alice.http.delete(f"/v1/files/{file}"))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(204) >= 1
    assert set(statuses) <= {204, 404}


def test_fifty_waits_leave_room(alice: Customer, far_end: FarEnd, content: bytes) -> None:
    """Those who wait longer than there are places get their 202 at once."""
    with far_end.held("/held.mp4", content) as (url, release):
        body: Json = {"input_url": url}
        wait = {"Prefer": "wait=2"}
        answers = _at_once(lambda _: alice.http.post("/v1/transcode", json=body, headers=wait))
        assert {answer.status_code for answer in answers} <= {200, 202}
        jobs = [answer.json() for answer in answers]
        for job in jobs[1:]:
            alice.http.post(f"/v1/jobs/{job['id']}/cancel")
        release()
    for job in jobs:
        alice.ended(job)


@pytest.mark.parametrize("body", of_each_kind(HOSTILE), ids=str)
def test_hostile_json(alice: Customer, body: Body) -> None:
    """What else there is of each kind, ``test_json_bodies`` gives the same reader."""
    headers = {"Content-Type": body.content_type}
    if body.encoding:
        headers["Content-Encoding"] = body.encoding
    for path in ("/v1/jobs", "/v1/transcode", "/v1/probe", "/v1/files"):
        check_refused(alice.http.post(path, content=body.content, headers=headers))
