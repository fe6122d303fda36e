"""What belongs to another tenant looks, to the byte, like what never existed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import httpx
import pytest

from ffapi_site.lib.ids import new_id
from tests.harness.customer import Customer
from tests.harness.far_end import FarEnd
from tests.harness.media import Samples

pytestmark = pytest.mark.slow

_VARIES = {"date", "x-request-id", "ratelimit", "content-length"}
_REQUEST_ID = re.compile(rb'"request_id": ?"[^"]*"')


@dataclass(frozen=True)
class Owned:
    """Ids of the other tenant's things."""

    running: str
    ended: str
    file: str
    output: str


@pytest.fixture
def owned(bob: Customer, media: Samples, far_end: FarEnd) -> Iterator[Owned]:
    content = media.path("red").read_bytes()
    file = bob.upload(media.path("red"))
    ended = bob.completed(bob.submit("transcode", {"input": file["id"]}))
    with far_end.held("/held.mp4", content) as (url, release):
        running = bob.submit("transcode", {"input": url})
        bob.until(running, lambda job: job["status"] == "running")
        yield Owned(running["id"], ended["id"], file["id"], ended["outputs"][0]["file"])
        assert bob.job(running["id"])["status"] == "running"
        release()
        bob.completed(running)
    assert bob.job(ended["id"])["outputs"][0]["file"] == ended["outputs"][0]["file"]
    assert bob.http.get(f"/v1/files/{file['id']}/content").content == content


def _same(answer: httpx.Response, public_id: str) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in answer.headers.items() if name not in _VARIES}
    body = _REQUEST_ID.sub(b"", answer.content).replace(public_id.encode(), b"ID")
    return answer.status_code, headers, body


JOB_REQUESTS = [
    ("GET", ""),
    ("GET", "/log"),
    ("GET", "/events"),
    ("POST", "/cancel"),
    ("POST", "/retry"),
    ("DELETE", ""),
]
FILE_REQUESTS = [("GET", ""), ("GET", "/content"), ("HEAD", "/content"), ("DELETE", "")]


def test_jobs(alice: Customer, owned: Owned) -> None:
    for theirs in (owned.running, owned.ended):
        for method, what in JOB_REQUESTS:
            _check_absent(alice, method, "/v1/jobs/{}" + what, theirs, new_id("job"))


def test_files(alice: Customer, owned: Owned) -> None:
    for theirs in (owned.file, owned.output):
        for method, what in FILE_REQUESTS:
            _check_absent(alice, method, "/v1/files/{}" + what, theirs, new_id("file"))


def _check_absent(alice: Customer, method: str, path: str, theirs: str, nobodys: str) -> None:
    foreign = alice.http.request(method, path.format(theirs))
    unknown = alice.http.request(method, path.format(nobodys))
    assert foreign.status_code == 404, (method, path, foreign.text)
    assert _same(foreign, theirs) == _same(unknown, nobodys)


@pytest.mark.parametrize(
    ("path", "field"),
    [("transcode", "input_url"), ("transcode", "input"), ("probe", "input"), ("jobs", "params")],
)
def test_a_file_as_an_input(alice: Customer, owned: Owned, path: str, field: str) -> None:
    nobodys = new_id("file")
    for theirs in (owned.file, owned.output):
        foreign, unknown = (_asked(alice, path, field, each) for each in (theirs, nobodys))
        assert foreign.status_code == 422, foreign.text
        assert _same(foreign, theirs) == _same(unknown, nobodys)


def _asked(alice: Customer, path: str, field: str, file: str) -> httpx.Response:
    inside = {"operation": "transcode", "params": {"input": {"file": file}}}
    return alice.http.post(f"/v1/{path}", json=inside if field == "params" else {field: file})


def test_lists_and_searches_hold_ones_own_only(alice: Customer, owned: Owned) -> None:
    ids = {owned.running, owned.ended, owned.file, owned.output}
    for path in ("/v1/jobs", "/v1/files"):
        listed = alice.http.get(path, params={"limit": 200}).json()["results"]
        assert ids.isdisjoint(each["id"] for each in listed)
    for theirs in (owned.running, owned.ended):
        found = alice.http.get("/v1/jobs", params={"search": theirs})
        assert found.json()["results"] == []


def test_a_link_opens_its_own_file_only(bob: Customer, owned: Owned) -> None:
    link = bob.job(owned.ended)["outputs"][0]["download_url"]
    with closing(httpx.Client(trust_env=False)) as anybody:
        assert anybody.get(link).status_code == 200
        assert anybody.get(link.replace(owned.output, owned.file)).status_code in {401, 403, 404}


def test_twenty_at_once_under_one_key_are_one_job(alice: Customer, media: Samples) -> None:
    tag, key = secrets.token_hex(8), secrets.token_hex(16)
    body = {
        "operation": "transcode",
        "params": {"input": alice.upload(media.path("red"))["id"]},
        "tags": [tag],
    }

    def post(_: int) -> httpx.Response:
        return alice.http.post("/v1/jobs", json=body, headers={"Idempotency-Key": key})

    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(post, range(20)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    first = [answer for answer in answers if "idempotency-replayed" not in answer.headers]
    assert len([answer for answer in first if answer.status_code == 202]) == 1
    told = {answer.json()["id"] for answer in answers if answer.status_code == 202}
    jobs = alice.http.get("/v1/jobs", params={"tag": tag}).json()["results"]
    assert [job["id"] for job in jobs] == list(told)
    replayed = post(0)
    assert replayed.headers["Idempotency-Replayed"] == "true"
    assert replayed.json()["id"] in told
    alice.completed(jobs[0])


def test_a_key_of_one_tenant_is_free_for_another(
    alice: Customer, bob: Customer, media: Samples
) -> None:
    key, made = secrets.token_hex(16), []
    for customer in (alice, bob):
        body = {"input": customer.upload(media.path("red"))["id"]}
        answer = customer.http.post("/v1/transcode", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == 202, answer.text
        made.append(answer.json()["id"])
    assert len(set(made)) == 2
